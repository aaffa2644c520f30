import CLinux
import Glibc
import Linux

/// Limits that the runtime sets on a new process, because the process itself may lack the right to.
enum ProcessLimits {
    static func applyScore(_ plan: ProcessPlan, pid: Int32) throws(RuntimeError) {
        if let score = plan.process.oomScoreAdj {
            try attempt("failed to set oom_score_adj to \(score)") { () throws(KernelError) in
                try FileContents.write(String(score), to: "/proc/\(pid)/oom_score_adj")
            }
        }
    }

    static func apply(_ plan: ProcessPlan, pid: Int32) throws(RuntimeError) {
        for limit in plan.rlimits {
            var value = rlimit(rlim_cur: rlim_t(limit.soft), rlim_max: rlim_t(limit.hard))
            do throws(KernelError) {
                try kernelCall("prlimit") { gantry_prlimit(pid, limit.resource, &value) }
            } catch {
                throw RuntimeError(
                    "error setting rlimits for ready process: error setting rlimit type \(limit.resource) "
                        + "(\(limit.name)): \(error.errno)")
            }
        }
    }
}
