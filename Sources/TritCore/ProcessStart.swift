#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// How another program is started: what it is given, and that it listens to signals as any program
/// does.
package struct ProcessStart {
  /// Its path.
  package var program: String
  /// Its words, the program's name left out.
  package var arguments: [String]
  /// Variables that are set beside those of this process.
  package var environment: [String: String] = [:]
  /// Descriptors of this process and the numbers that they have in the program; no other is open
  /// there, but for those of this process's streams that are not named.
  package var descriptors: [(from: Int32, to: Int32)] = []
  /// Streams that are `/dev/null` there.
  package var silent: [Int32] = [STDIN_FILENO]
  /// Whether it is in a group of its own, which ends as a whole.
  package var isGroup = false

  /// A program that is yet to be started.
  package init(_ program: String, _ arguments: [String]) {
    self.program = program
    self.arguments = arguments
  }

  /// Why the system did not start it: a number of `errno`.
  package struct Refusal: Error {
    /// The number.
    package let number: Int32
  }

  /// What this process may ignore, and a program expects to end it or to tell it of a fault.
  private static let usual = [
    SIGPIPE, SIGXFSZ, SIGALRM, SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGTRAP, SIGFPE,
  ]

  /// Starts it, and gives its number.
  package func start() -> Result<Int32, Refusal> {
    #if canImport(Glibc)
      var actions = posix_spawn_file_actions_t()
      var attributes = posix_spawnattr_t()
    #else
      var actions: posix_spawn_file_actions_t?
      var attributes: posix_spawnattr_t?
    #endif
    var number = posix_spawn_file_actions_init(&actions)
    guard number == 0 else { return .failure(Refusal(number: number)) }
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (from, to) in descriptors {
      number = posix_spawn_file_actions_adddup2(&actions, from, to)
      guard number == 0 else { return .failure(Refusal(number: number)) }
    }
    for stream in silent {
      let mode = stream == STDIN_FILENO ? O_RDONLY : O_WRONLY
      number = posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", mode, 0)
      guard number == 0 else { return .failure(Refusal(number: number)) }
    }
    number = posix_spawnattr_init(&attributes)
    guard number == 0 else { return .failure(Refusal(number: number)) }
    defer { posix_spawnattr_destroy(&attributes) }
    // What this process ignores or blocks, a thread of a pool all signals, must not hide how the
    // program ends.
    var defaults = sigset_t()
    var mask = sigset_t()
    sigemptyset(&defaults)
    sigemptyset(&mask)
    for signal in Self.usual { sigaddset(&defaults, signal) }
    posix_spawnattr_setsigdefault(&attributes, &defaults)
    posix_spawnattr_setsigmask(&attributes, &mask)
    var flags = Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETSIGMASK)
    if isGroup {
      posix_spawnattr_setpgroup(&attributes, 0)
      flags |= Int16(POSIX_SPAWN_SETPGROUP)
    }
    posix_spawnattr_setflags(&attributes, flags)
    var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
    var variables = variables()
    words.append(nil)
    variables.append(nil)
    defer {
      for word in words { free(word) }
      for variable in variables { free(variable) }
    }
    var process = pid_t()
    number = posix_spawn(&process, program, &actions, &attributes, words, variables)
    return number == 0 ? .success(process) : .failure(Refusal(number: number))
  }

  /// The environment of this process, byte for byte, with the changes.
  private func variables() -> [UnsafeMutablePointer<CChar>?] {
    var result: [UnsafeMutablePointer<CChar>?] = []
    var next = environ
    while let variable = next.pointee {
      let isChanged = environment.keys.contains { name in
        strncmp(variable, name, name.utf8.count) == 0
          && variable[name.utf8.count] == CChar(UInt8(ascii: "="))
      }
      if !isChanged { result.append(strdup(variable)) }
      next += 1
    }
    return result + environment.map { strdup("\($0.key)=\($0.value)") }
  }
}
