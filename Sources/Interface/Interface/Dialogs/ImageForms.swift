import EngineAPI

extension Form {
    static func pull() -> Form {
        var name = Field(
            name: .reference, label: "Image", placeholder: "postgres:16, quay.io/org/app, host:5000/app@sha256:…",
            kind: .text(LineEditor()))
        name.isRequired = true
        return Form(.pull, title: "pull an image from its registry", fields: [name])
    }

    static func tag(_ image: EngineAction.Target) -> Form {
        var name = Field(
            name: .reference, label: "New name", placeholder: "name:tag", kind: .text(LineEditor(image.name)))
        name.isRequired = true
        return Form(.tag(image), title: "a further name for \(image.name)", fields: [name])
    }

    static func loadImage() -> Form {
        var path = Field(name: .path, label: "Archive", placeholder: "/path/to/image.tar", kind: .text(LineEditor()))
        path.isRequired = true
        path.place = .machine
        return Form(.loadImage, title: "load images from a file or folder", fields: [path])
    }

    /// What it waits for goes on as well without it.
    var canRunOn: Bool { purpose == .pull || purpose == .loadImage }
}
