import Synchronization

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What happens when a mapped file is cut short while it is in use: pages behind its new end are
/// gone, and whoever touches one gets SIGBUS, which ends a process without a word.
///
/// The handler finds the mapping that holds the address in a table of fixed size, writes which file
/// it was and what to do, removes the temporary files of unfinished outputs, and ends the process
/// with the exit code of bad data. It does nothing else: only calls that POSIX allows in a handler,
/// no lock, no memory. A fault outside all mappings is left to the system.
public enum MappingFaults {
  /// Starts to listen for SIGBUS; `prefix` stands in front of the message. Called once by the
  /// command: a library does not take a signal from its program.
  public static func install(prefix: String) {
    prefixText.store(Self.copy(prefix), ordering: .releasing)
    var action = sigaction()
    sigemptyset(&action.sa_mask)
    action.sa_flags = SA_SIGINFO
    #if canImport(Glibc)
      action.__sigaction_handler.sa_sigaction = onBusError
    #else
      action.__sigaction_u.__sa_sigaction = onBusError
    #endif
    let before = UnsafeMutablePointer<sigaction>.allocate(capacity: 1)
    before.initialize(to: sigaction())
    sigaction(SIGBUS, &action, before)
    previousAction.store(UInt(bitPattern: before), ordering: .releasing)
    // A mask is inherited, and a fault that is blocked kills at once.
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGBUS)
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
  }

  /// Mappings that the table has room for; one more is mapped all the same, without its message.
  static let capacity = 1024

  /// What is said of `path`.
  static func error(_ path: String, count: Int) -> LabError {
    LabError(
      .badData, "the file was cut short while it was in use, or its disk cannot read it", at: path,
      expected: "\(count) bytes until it is closed",
      advice:
        "get the file again and give the same command; put a new file in place by renaming it, not "
        + "by writing into one that is in use")
  }

  /// The error for mapped bytes that a system call cannot read (`EFAULT`: there it is no signal);
  /// nil for memory of another kind.
  static func error(at pointer: UnsafeRawPointer?) -> LabError? {
    let address = UInt(bitPattern: pointer)
    return taken.withLock { taken in
      for (index, mapping) in taken {
        let start = table[index].start.load(ordering: .relaxed)
        guard address >= start, address < start + UInt(mapping.count) else { continue }
        return error(mapping.path, count: mapping.count)
      }
      return nil
    }
  }

  // MARK: The table

  /// One mapping: `start` is 0 where the slot is free. The text is allocated by `strdup`.
  private struct Slot: ~Copyable {
    let start = Atomic<UInt>(0)
    let end = Atomic<UInt>(0)
    let text = Atomic<UInt>(0)
  }

  /// Slots that are taken, and the lock of those who take and free them; the handler needs neither.
  private static let taken = Mutex<[Int: (path: String, count: Int)]>([:])

  nonisolated(unsafe) private static let table: UnsafeMutablePointer<Slot> = {
    let table = UnsafeMutablePointer<Slot>.allocate(capacity: capacity)
    for index in 0..<capacity { (table + index).initialize(to: Slot()) }
    tableAddress.store(UInt(bitPattern: table), ordering: .releasing)
    return table
  }()

  /// Notes a mapping; nil where the table is full.
  static func add(start: UInt, count: Int, path: String) -> Int? {
    taken.withLock { taken in
      guard let index = (0..<capacity).first(where: { taken[$0] == nil }) else { return nil }
      taken[index] = (path, count)
      let slot = table + index
      // The page that holds the last byte reaches beyond it.
      let page = UInt(max(sysconf(Int32(_SC_PAGESIZE)), 1))
      let error = error(path, count: count)
      slot.pointee.text.store(
        copy(error.description + "\n" + ErrorDocument.line(error)), ordering: .relaxed)
      slot.pointee.end.store(
        start + (UInt(count) + page - 1) / page * page, ordering: .relaxed)
      slot.pointee.start.store(start, ordering: .releasing)
      return index
    }
  }

  /// Forgets a mapping, before it is unmapped.
  static func remove(_ index: Int) {
    taken.withLock { taken in
      let slot = table + index
      slot.pointee.start.store(0, ordering: .releasing)
      free(UnsafeMutableRawPointer(bitPattern: slot.pointee.text.exchange(0, ordering: .relaxed)))
      taken[index] = nil
    }
  }

  /// The text about the mapping that holds `address`. Safe in a handler.
  fileprivate static func text(at address: UInt) -> UnsafePointer<CChar>? {
    let base = tableAddress.load(ordering: .acquiring)
    guard let table = UnsafeMutablePointer<Slot>(bitPattern: base) else { return nil }
    for index in 0..<capacity {
      let start = table[index].start.load(ordering: .acquiring)
      guard start != 0, address >= start, address < table[index].end.load(ordering: .relaxed)
      else { continue }
      return UnsafePointer(bitPattern: table[index].text.load(ordering: .relaxed))
    }
    return nil
  }

  private static func copy(_ text: String) -> UInt { UInt(bitPattern: strdup(text)) }
}

private let tableAddress = Atomic<UInt>(0)
private let prefixText = Atomic<UInt>(0)
/// The action that was there before ours, which is never freed.
private let previousAction = Atomic<UInt>(0)

/// The handler of SIGBUS.
private func onBusError(
  _ number: Int32, _ info: UnsafeMutablePointer<siginfo_t>?, _ context: UnsafeMutableRawPointer?
) {
  guard let info else { return }
  #if canImport(Glibc)
    let address = UInt(bitPattern: info.pointee._sifields._sigfault.si_addr)
  #else
    let address = UInt(bitPattern: info.pointee.si_addr)
  #endif
  guard let text = MappingFaults.text(at: address) else {
    // The instruction faults again, and whoever listened before has it: the system, as a rule.
    let before = UnsafeMutablePointer<sigaction>(
      bitPattern: previousAction.load(ordering: .acquiring))
    if let before { sigaction(SIGBUS, before, nil) } else { signal(SIGBUS, SIG_DFL) }
    return
  }
  if let prefix = UnsafePointer<CChar>(bitPattern: prefixText.load(ordering: .acquiring)) {
    _ = write(STDERR_FILENO, prefix, strlen(prefix))
  }
  _ = write(STDERR_FILENO, text, strlen(text))
  TemporaryFiles.removeAll()
  ProcessEnd.announce()
  // The code of bad data.
  _exit(65)
}
