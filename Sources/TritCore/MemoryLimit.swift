import Synchronization

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Whether the system gives so much memory, asked before a buffer is made whose size depends on a
/// file or an option: a `LabError` in place of a process that ends in the middle.
///
/// A machine with memory to spare may still refuse: a limit on the address space (`ulimit -v`), a
/// container, a kernel that does not promise more than it has.
public enum MemoryLimit {
  /// Throws `failure` where the system does not give `bytes` more; `purpose` completes "there is no
  /// memory for …". Nothing is kept: the caller allocates right afterwards.
  public static func require(_ bytes: Int, for purpose: String, advice: String? = nil) throws {
    guard bytes > 0 else { return }
    let (padded, overflow) = bytes.addingReportingOverflow(slack)
    if !overflow, isThere(padded) { return }
    throw error(bytes, for: purpose, advice: advice)
  }

  /// The same for `count` elements of `stride` bytes, which may be no `Int` together.
  public static func require(
    _ count: Int, of stride: Int, for purpose: String, advice: String? = nil
  ) throws {
    let (bytes, overflow) = count.multipliedReportingOverflow(by: stride)
    try require(overflow ? Int.max : bytes, for: purpose, advice: advice)
  }

  /// Memory that is kept from others until somebody else, a library say, takes as much. Throws like
  /// `require`.
  package static func hold(_ bytes: Int, for purpose: String, advice: String) throws -> Held {
    guard let base = map(bytes) else { throw error(bytes, for: purpose, advice: advice) }
    return Held(base: base, bytes: bytes)
  }

  /// A run of pages that nobody uses.
  package final class Held {
    private var base: UnsafeMutableRawPointer?
    private let bytes: Int

    fileprivate init(base: UnsafeMutableRawPointer, bytes: Int) {
      self.base = base
      self.bytes = bytes
    }

    deinit { giveBack() }

    /// Now others can have it.
    package func giveBack() {
      if let base { munmap(base, bytes) }
      base = nil
    }
  }

  /// What is said where memory is refused.
  static func error(_ bytes: Int, for purpose: String, advice: String? = nil) -> LabError {
    LabError(
      .failure, "there is no memory for \(purpose)",
      expected: limit.map { "what a limit of \(mebibytes($0)) on the address space leaves" }
        ?? "what the machine can give", got: "\(mebibytes(bytes)) wanted",
      advice: [advice, limit == nil ? nil : Self.advice].compactMap(\.self)
        .joined(separator: "; or "))
  }

  /// What helps against a limit of the shell.
  static let advice = "raise the limit of this shell, as with: ulimit -v unlimited"

  /// Bytes of address space that the shell allows; nil where it sets no limit.
  public static var limit: Int? {
    var found = rlimit()
    #if canImport(Glibc)
      guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &found) == 0 else { return nil }
    #else
      guard getrlimit(RLIMIT_AS, &found) == 0 else { return nil }
    #endif
    return found.rlim_cur < UInt64(Int.max) / 2 ? Int(found.rlim_cur) : nil
  }

  /// Small things that are made meanwhile.
  private static let slack = 1 << 20

  private static func isThere(_ bytes: Int) -> Bool {
    guard let base = map(bytes) else { return false }
    munmap(base, bytes)
    return true
  }

  private static func map(_ bytes: Int) -> UnsafeMutableRawPointer? {
    let base = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0)
    return base == MAP_FAILED ? nil : base
  }

  static func mebibytes(_ bytes: Int) -> String {
    if bytes < 1 << 20 { return "\(bytes) bytes" }
    // Int.max stands for sizes that are no Int.
    return bytes == .max ? "more than any machine has" : "\((bytes - 1) >> 20 + 1) MiB"
  }

  // MARK: What nobody asked about before

  /// What a buffer does that cannot be made and has no caller to tell. In a library it traps, as
  /// Swift's own arrays do; a command installs an end with a message.
  package static func refused(_ bytes: Int) -> Never {
    let error = error(bytes, for: "a buffer", advice: nil)
    if isCommand.load(ordering: .acquiring) {
      stop(error.description + "\n" + ErrorDocument.line(error))
    }
    fatalError(error.description)
  }

  /// From now on a buffer that cannot be made ends the process with a message and the exit code of
  /// a failure, and so does a refusal within Swift's own collections where the shell limits the
  /// address space. Outputs that were under way are removed. Called once by the command.
  public static func install(prefix: String) {
    prefixText.store(UInt(bitPattern: strdup(prefix)), ordering: .releasing)
    isCommand.store(true, ordering: .releasing)
    guard let limit else { return }
    takeOneArena()
    let error = LabError(
      .failure, "the process stopped where it was refused memory, as far as can be told",
      got: "a limit of \(mebibytes(limit)) on the address space", advice: advice)
    let text = error.description + "\n" + ErrorDocument.line(error)
    trapText.store(UInt(bitPattern: strdup(text)), ordering: .releasing)
    for number in [SIGILL, SIGTRAP, SIGABRT] { signal(number, onTrap) }
  }

  /// The C library sets 64 MiB of addresses aside for each thread that allocates: too many of a
  /// few.
  private static func takeOneArena() {
    #if canImport(Glibc)
      typealias Option = @convention(c) (Int32, Int32) -> Int32
      // M_ARENA_MAX (mallopt(3)), in a header that Swift does not read.
      guard let program = dlopen(nil, RTLD_NOW), let symbol = dlsym(program, "mallopt") else {
        return
      }
      _ = unsafeBitCast(symbol, to: Option.self)(-8, 1)
    #endif
  }

  private static func stop(_ text: String) -> Never {
    write(prefixText)
    text.utf8CString.withUnsafeBufferPointer {
      _ = Self.write($0.baseAddress, $0.count - 1)
    }
    TemporaryFiles.removeAll()
    ProcessEnd.announce()
    _exit(LabError.Kind.failure.rawValue)
  }

  fileprivate static func write(_ text: borrowing Atomic<UInt>) {
    let start = UnsafePointer<CChar>(bitPattern: text.load(ordering: .acquiring))
    if let start { _ = write(start, strlen(start)) }
  }

  private static func write(_ start: UnsafePointer<CChar>?, _ count: Int) -> Int {
    #if canImport(Glibc)
      Glibc.write(STDERR_FILENO, start, count)
    #else
      Darwin.write(STDERR_FILENO, start, count)
    #endif
  }
}

private let isCommand = Atomic<Bool>(false)
private let prefixText = Atomic<UInt>(0)
private let trapText = Atomic<UInt>(0)

/// The handler of traps under a limit of address space: only what POSIX allows in one.
private func onTrap(_ number: Int32) {
  MemoryLimit.write(prefixText)
  MemoryLimit.write(trapText)
  TemporaryFiles.removeAll()
  ProcessEnd.announce()
  _exit(LabError.Kind.failure.rawValue)
}
