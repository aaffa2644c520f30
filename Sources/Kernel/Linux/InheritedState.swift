import CLinux
import Glibc

/// What a program gets from whoever starts it and would stumble over: called first of all in a program's main.
public enum InheritedState {
    public static func normalize() {
        openStandardStreams()
        // Ignored, it makes the kernel reap every child before its code can be asked for.
        signal(SIGCHLD, SIG_DFL)
        var none = sigset_t()
        sigemptyset(&none)
        sigprocmask(SIG_SETMASK, &none, nil)
    }

    /// For a child that will execute another's program: no signal is blocked or ignored. nohup(1) and service managers
    /// start programs with some ignored, which an execution keeps.
    package static func resetSignals() { gantry_reset_signals() }

    /// A number from 0 to 2 that is closed would be given to the next file that is opened, and that file, a directory of
    /// this program for instance, be taken for a standard stream by every program that is started from here
    /// (CVE-2024-21626 is one way out by such a descriptor). open(2) gives the lowest number that is free.
    private static func openStandardStreams() {
        for number in Int32(0)...2 where fcntl(number, F_GETFD) < 0 {
            if gantry_open("/dev/null", O_RDWR, 0) != number { return }
        }
    }
}
