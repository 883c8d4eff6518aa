#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What the system said no to, in words, and what helps.
package enum SystemFailure {
  /// The system's words for an error number.
  package static func text(_ number: Int32 = errno) -> String { String(cString: strerror(number)) }

  /// What to do about an error number; `otherwise` where it has no remedy of its own.
  package static func advice(_ number: Int32 = errno, otherwise: String) -> String {
    switch number {
    case EMFILE: "allow this shell more open files, as with: ulimit -n 256"
    case ENFILE: "the machine has no open files left: end other programs, or raise fs.file-max"
    case ENOSPC: "the disk is full: make room, or write to another one"
    case EDQUOT: "your quota of this disk is used up: make room, or write to another one"
    case EROFS: "the file system is read-only: write to another folder"
    case ENOMEM: MemoryLimit.advice
    case ENAMETOOLONG: "file systems take names of at most 255 bytes: choose a shorter one"
    case EFBIG: "the file is larger than this shell or file system allows: see ulimit -f"
    default: otherwise
    }
  }
}
