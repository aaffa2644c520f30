/// The themes of `Themes/`, compiled in so that the program works wherever it is copied to; a test holds them equal to the
/// files.
enum EmbeddedThemes {
    static let texts: [String: String] = ["dark": dark, "light": light, "terminal": terminal]

    private static let dark = #"""
        # Gantry's dark theme: 24-bit colours, brought down to what the terminal can show.
        #
        # [palette] names colours: "#rrggbb", a number 0-255 of the terminal's palette, or "default".
        # [styles] gives each role a foreground, a background and attributes; what a role leaves out comes from "text".

        # What programs in a container print in one of their terminal's sixteen colours, so that it can be read on "paper".
        ansi = [
            "black", "#ff9090", "green", "yellow", "blue", "#e8a0d8", "cyan", "ink",
            "muted", "#ffb0b0", "#b2ecb6", "#f7dc9c", "#b3ceff", "#f4c2e8", "#a5ecea", "white",
        ]

        [palette]
        ink = "#d5d9e5"
        muted = "#a0aac3"
        paper = "#171a23"
        raised = "#222735"
        bar = "#2c3346"
        chosen = "#2d3e66"
        blue = "#8ab4ff"
        cyan = "#6fd6d2"
        green = "#8fd694"
        yellow = "#ecc66b"
        orange = "#f0a36c"
        red = "#ff8b8b"
        violet = "#c7a6ff"
        white = "#ffffff"
        black = "#10121a"

        [styles]
        text = { fg = "ink", bg = "paper" }
        muted = { fg = "muted" }
        header = { fg = "muted", attributes = ["bold"] }
        title = { fg = "muted", bg = "raised" }
        title-focused = { fg = "black", bg = "blue", attributes = ["bold"] }
        title-captured = { fg = "black", bg = "green", attributes = ["bold"] }
        rule = { fg = "muted" }
        selection = { fg = "white", bg = "chosen" }
        selection-unfocused = { fg = "ink", bg = "bar" }
        match = { fg = "black", bg = "yellow" }
        hint-key = { fg = "yellow", bg = "raised", attributes = ["bold"] }
        hint-label = { fg = "ink", bg = "raised" }
        status = { fg = "ink" }
        success = { fg = "green" }
        warning = { fg = "yellow" }
        error = { fg = "red", attributes = ["bold"] }
        state-running = { fg = "green" }
        state-paused = { fg = "yellow" }
        state-created = { fg = "cyan" }
        state-exited = { fg = "muted" }
        state-failed = { fg = "red" }
        graph-cpu = { fg = "green" }
        graph-memory = { fg = "blue" }
        graph-io = { fg = "violet" }
        graph-pids = { fg = "cyan" }
        graph-mark = { fg = "orange", attributes = ["bold"] }
        dialog = { fg = "ink", bg = "raised" }
        dialog-title = { fg = "blue", bg = "raised", attributes = ["bold"] }
        dialog-muted = { fg = "muted", bg = "raised" }
        field = { fg = "ink", bg = "bar" }
        field-focused = { fg = "white", bg = "chosen" }
        field-error = { fg = "red", bg = "raised" }
        button = { fg = "ink", bg = "bar" }
        button-focused = { fg = "black", bg = "blue", attributes = ["bold"] }

        """#

    private static let light = #"""
        # Gantry's light theme.

        inherits = "dark"

        ansi = [
            "white", "red", "green", "yellow", "blue", "#8f1f7f", "cyan", "#4a5265",
            "muted", "#c4202c", "#23752f", "#8a5d00", "#2a5fd0", "#a32b92", "#0d7070", "ink",
        ]

        [palette]
        ink = "#1f2430"
        muted = "#535c70"
        paper = "#fbfbf9"
        raised = "#eceef3"
        bar = "#dde1ea"
        chosen = "#c4d7fb"
        blue = "#1d4fb8"
        cyan = "#0a6464"
        green = "#1d6a2b"
        yellow = "#7a5200"
        orange = "#97400a"
        red = "#ab1a24"
        violet = "#6530b5"
        white = "#0d1018"
        black = "#ffffff"

        """#

    private static let terminal = #"""
        # Follows the terminal's own sixteen colours and its own foreground and background.

        inherits = "dark"
        ansi = []

        [palette]
        ink = "default"
        muted = "default"
        paper = "default"
        raised = "default"
        bar = "default"
        chosen = "default"
        blue = 4
        cyan = 6
        green = 2
        yellow = 3
        orange = 3
        red = 1
        violet = 5
        white = "default"
        black = 0

        [styles]
        muted = { fg = "muted", attributes = ["dim"] }
        title = { fg = "ink", attributes = ["underline"] }
        title-focused = { attributes = ["reverse", "bold"] }
        title-captured = { fg = "green", attributes = ["reverse", "bold"] }
        selection = { attributes = ["reverse"] }
        selection-unfocused = { attributes = ["bold", "underline"] }
        match = { fg = "yellow", attributes = ["reverse"] }
        hint-key = { attributes = ["bold"] }
        hint-label = { fg = "ink" }
        dialog-muted = { attributes = ["dim"] }
        field = { attributes = ["underline"] }
        field-focused = { attributes = ["reverse"] }
        button = { attributes = ["underline"] }
        button-focused = { attributes = ["reverse", "bold"] }

        """#
}
