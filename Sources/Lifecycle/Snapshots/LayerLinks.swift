import Glibc
import Linux
import OCI

/// Short names of layers: mount(2) takes one page of options, which 120 chain IDs would not fit in.
extension SnapshotDirectory {
    /// The link of a layer, as `l/3f9a`: as many digits of the chain ID as tell it from others, at least four.
    func link(_ chainID: Digest) throws(KernelError) -> String {
        let target = "../\(chainID.hex)/fs"
        for length in stride(from: 4, through: chainID.hex.count, by: 2) {
            let name = "l/\(chainID.hex.prefix(length))"
            let place = "\(path)/\(name)"
            do throws(KernelError) {
                try kernelCall("symlink", place) { symlink(target, place) }
                return name
            } catch  where error.errno == .exists {
                if try read(place) == target { return name }
            }
        }
        throw KernelError("symlink", "\(path)/l/\(chainID.hex)", .exists)
    }

    func removeLink(_ chainID: Digest) throws(KernelError) {
        for length in stride(from: 4, through: chainID.hex.count, by: 2) {
            let place = "\(path)/l/\(chainID.hex.prefix(length))"
            // A shorter one may have been another layer's, which is gone.
            guard try read(place) == "../\(chainID.hex)/fs" else { continue }
            try kernelCall("remove", place) { unlink(place) }
            return
        }
    }

    /// What a link says; nil where there is none.
    private func read(_ place: String) throws(KernelError) -> String? {
        var buffer = [CChar](repeating: 0, count: 256)
        do throws(KernelError) {
            let count = try kernelCall("readlink", place) { readlink(place, &buffer, buffer.count) }
            return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        } catch  where error.errno == .noSuchFile {
            return nil
        }
    }
}
