#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The three descriptors that a command starts with.
public enum StandardStreams {
  /// Opens those that the parent has closed (`>&- 2>&-`) on `/dev/null`, so that no file of ours
  /// gets their numbers and the words that go there. The first call of a command.
  public static func open() {
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] {
      guard fcntl(descriptor, F_GETFD) < 0, errno == EBADF else { continue }
      let mode = descriptor == STDIN_FILENO ? O_RDONLY : O_WRONLY
      #if canImport(Glibc)
        let opened = Glibc.open("/dev/null", mode)
      #else
        let opened = Darwin.open("/dev/null", mode)
      #endif
      // The lowest free number is given out, and those below are open by now.
      if opened >= 0, opened != descriptor {
        dup2(opened, descriptor)
        close(opened)
      }
    }
  }
}
