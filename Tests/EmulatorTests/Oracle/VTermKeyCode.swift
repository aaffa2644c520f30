import CVTerm
import Terminal

@testable import Emulator

/// Keys, modifiers and buttons by libvterm's names.
enum VTermKeyCode {
    /// The code of a key that is no character; nil for what libvterm has no bytes for.
    static func code(for key: Key) -> VTermKey? {
        switch key.code {
        case .up: return VTERM_KEY_UP
        case .down: return VTERM_KEY_DOWN
        case .left: return VTERM_KEY_LEFT
        case .right: return VTERM_KEY_RIGHT
        case .insert: return VTERM_KEY_INS
        case .delete: return VTERM_KEY_DEL
        case .home: return VTERM_KEY_HOME
        case .end: return VTERM_KEY_END
        case .pageUp: return VTERM_KEY_PAGEUP
        case .pageDown: return VTERM_KEY_PAGEDOWN
        case .function(let number) where (1...12).contains(number):
            return VTermKey(rawValue: VTERM_KEY_FUNCTION_0.rawValue + UInt32(number))
        default: return nil
        }
    }

    static func modifiers(_ modifiers: Key.Modifiers) -> VTermModifier {
        var bits: UInt32 = 0
        if modifiers.contains(.shift) { bits |= VTERM_MOD_SHIFT.rawValue }
        if modifiers.contains(.alt) { bits |= VTERM_MOD_ALT.rawValue }
        if modifiers.contains(.control) { bits |= VTERM_MOD_CTRL.rawValue }
        return VTermModifier(rawValue: bits)
    }

    /// The button and whether it goes down; nil for a motion.
    static func button(for action: MouseEvent.Action) -> (Int32, Bool)? {
        switch action {
        case .press(let button): return (number(of: button), true)
        case .release(let button): return (number(of: button), false)
        case .wheelUp: return (4, true)
        case .wheelDown: return (5, true)
        case .wheelLeft: return (6, true)
        case .wheelRight: return (7, true)
        case .drag, .move: return nil
        }
    }

    private static func number(of button: MouseEvent.Button) -> Int32 {
        switch button {
        case .left: return 1
        case .middle: return 2
        case .right: return 3
        }
    }
}
