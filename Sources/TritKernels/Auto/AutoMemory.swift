import TritCore
import Synchronization

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What `auto` has decided, by shape and conditions: in this process, and in files of a cache
/// folder.
public final class AutoMemory: Sendable {
  /// The one of the process, which registered kernels and heads share.
  public static let shared = AutoMemory()

  /// One that knows nothing and keeps no file.
  public init() {}

  private struct State {
    var decisions: [AutoKernel.Decision] = []
    var folder: String?
    /// Files that have been read, with what they held.
    var files: [String: [AutoKernel.Decision]] = [:]
    var notes: [String] = []
    var streaming: StreamingForm?
  }
  private let state = Mutex(State())

  /// Every decision of this process, in order; one a shape, form, use and conditions.
  public var decisions: [AutoKernel.Decision] { state.withLock { $0.decisions } }

  /// What went wrong with the file of decisions, in sentences; speed is all that depends on it.
  public var notes: [String] { state.withLock { $0.notes } }

  /// Forgets the decisions of this process, so that the next `prepare` measures again (or reads the
  /// file, where there is one).
  public func forget() {
    state.withLock {
      $0.decisions.removeAll()
      $0.files.removeAll()
      $0.streaming = nil
    }
  }

  /// Keeps decisions in a file of `folder` (nil: only in this process), so that the next run of the
  /// program need not measure. The file is named after what makes figures stale: CPU, instruction
  /// sets, program, candidates, threads, and where weights come from.
  public func remember(in folder: String?) { state.withLock { $0.folder = folder } }

  /// The decision for a matrix, if there is one: made in this process, or read from the file.
  func decision(
    _ weights: QuantizedWeights, _ form: ActivationForm, _ use: AutoKernel.Use,
    _ conditions: AutoKernel.Conditions, candidates: [String], ignoringFile: Bool
  ) -> AutoKernel.Decision? {
    state.withLock { state in
      func answer(_ list: [AutoKernel.Decision]) -> AutoKernel.Decision? {
        list.last { $0.answers(weights, form, use, conditions) }
      }
      if let known = answer(state.decisions) { return known }
      guard !ignoringFile, let folder = state.folder else { return nil }
      let path = Self.path(folder, candidates, conditions)
      if state.files[path] == nil {
        switch Self.read(path, conditions: conditions, candidates: candidates) {
        case .success(let list): state.files[path] = list
        case .failure(let error):
          state.files[path] = []
          state.notes.append(error.note)
        }
      }
      guard let known = answer(state.files[path] ?? []) else { return nil }
      state.decisions.append(known)
      return known
    }
  }

  /// Keeps a decision; one that was measured goes to the file too.
  func note(_ decision: AutoKernel.Decision, candidates: [String]) {
    state.withLock { state in
      let isKnown = state.decisions.contains {
        $0.rows == decision.rows && $0.columns == decision.columns
          && $0.weights == decision.weights && $0.activations == decision.activations
          && $0.use == decision.use && $0.conditions == decision.conditions
          && $0.picked == decision.picked
      }
      if !isKnown { state.decisions.append(decision) }
      guard !decision.timings.isEmpty, let folder = state.folder else { return }
      let path = Self.path(folder, candidates, decision.conditions)
      var list = state.files[path] ?? []
      list.removeAll {
        $0.rows == decision.rows && $0.columns == decision.columns && $0.use == decision.use
          && $0.weights == decision.weights && $0.activations == decision.activations
      }
      list.append(decision)
      state.files[path] = list
      Self.keep(Self.text(list), at: path, in: folder, notes: &state.notes)
    }
  }

  /// The streaming form of this machine: decided in this process, read from the file, or measured
  /// and kept.
  package func streamingForm(measure: () -> StreamingForm) -> StreamingForm {
    state.withLock { state in
      if let known = state.streaming { return known }
      let path = state.folder.map { Self.path($0, StreamingForm.allCases.map(\.rawValue)) }
      let kept = path.flatMap { try? MappedFile($0, limit: .small) }.flatMap {
        file -> StreamingForm? in
        guard file.count < 64 else { return nil }
        let text = withExtendedLifetime(file) { String(validating: file.bytes, as: UTF8.self) }
        return text.flatMap { StreamingForm(rawValue: String($0.dropLast())) }
      }
      let form = kept ?? measure()
      state.streaming = form
      if kept == nil, let path, let folder = state.folder {
        Self.keep("\(form.rawValue)\n", at: path, in: folder, notes: &state.notes)
      }
      return form
    }
  }

  // MARK: The file

  /// The first line of a file: its kind and version.
  static let head = "tritlab auto 1"

  package struct Damage: Error {
    package let note: String
  }

  /// A line a decision: rows, columns, weights, activations, use, kernel, then
  /// `kernel=rows/decode/prefill` for each candidate, in nanoseconds; fields end with tabs.
  /// Anything else is damage: the whole file is then ignored.
  package static func read(
    _ path: String, conditions: AutoKernel.Conditions, candidates: [String]
  ) -> Result<[AutoKernel.Decision], Damage> {
    guard access(path, F_OK) == 0 else { return .success([]) }
    let damage = Damage(note: "auto: \(path) is damaged and was ignored; kernels are timed again")
    guard let file = try? MappedFile(path, limit: .small) else { return .failure(damage) }
    let text = withExtendedLifetime(file) { String(validating: file.bytes, as: UTF8.self) }
    var lines = (text ?? "").split(separator: "\n")[...]
    guard lines.popFirst() == Self.head[...] else { return .failure(damage) }
    var decisions: [AutoKernel.Decision] = []
    for line in lines {
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      guard fields.count >= 7, let rows = Int(fields[0]), let columns = Int(fields[1]), rows > 0,
        columns > 0, let form = ActivationForm(rawValue: fields[3]),
        let use = AutoKernel.Use(rawValue: fields[4]), candidates.contains(fields[5])
      else { return .failure(damage) }
      let timings = fields[6...].compactMap(timing)
      guard timings.count == fields.count - 6, timings.contains(where: { $0.kernel == fields[5] })
      else { return .failure(damage) }
      decisions.append(
        AutoKernel.Decision(
          rows: rows, columns: columns, weights: fields[2], activations: form, use: use,
          conditions: conditions, picked: fields[5], reason: "fastest of \(timings.count)",
          timings: timings, isRemembered: true))
    }
    return .success(decisions)
  }

  private static func timing(_ field: String) -> AutoKernel.Timing? {
    let sides = field.split(separator: "=", maxSplits: 1).map(String.init)
    guard sides.count == 2 else { return nil }
    let numbers = sides[1].split(separator: "/").map { Double($0) ?? .nan }
    guard numbers.count == 3, numbers.allSatisfy({ $0 >= 1 && $0 < 1e15 }) else { return nil }
    return AutoKernel.Timing(
      kernel: sides[0], rows: Int(numbers[0]), decode: numbers[1], prefill: numbers[2])
  }

  private static func text(_ list: [AutoKernel.Decision]) -> String {
    var text = head + "\n"
    for decision in list {
      var fields = [
        "\(decision.rows)", "\(decision.columns)", decision.weights,
        decision.activations.rawValue, decision.use.rawValue, decision.picked,
      ]
      fields += decision.timings.map {
        "\($0.kernel)=\($0.rows)/\(max(1, $0.decode.rounded()))/\(max(1, $0.prefill.rounded()))"
      }
      text += fields.joined(separator: "\t") + "\n"
    }
    return text
  }

  /// Writes a file of the folder, which is made if it is not there; what goes wrong is a note.
  private static func keep(
    _ text: String, at path: String, in folder: String, notes: inout [String]
  ) {
    var made = ""
    for part in folder.split(separator: "/", omittingEmptySubsequences: false) {
      made += made.isEmpty && part.isEmpty ? "/" : (made.isEmpty || made == "/" ? "" : "/") + part
      mkdir(made, 0o700)
    }
    do {
      try AtomicFile.write(text, to: path)
    } catch {
      let reason = (error as? LabError)?.what ?? "\(error)"
      let note = "auto: what was measured cannot be kept in \(folder): \(reason)"
      if !notes.contains(note) { notes.append(note) }
    }
  }

  private static func path(
    _ folder: String, _ candidates: [String], _ conditions: AutoKernel.Conditions? = nil
  ) -> String {
    let key = [
      HostInformation.cpuName, CPUFeatures.here.names.joined(separator: " "),
      BuildInformation.version, BuildInformation.commit ?? "", program,
      candidates.joined(separator: " "), conditions?.words ?? "streaming",
    ].joined(separator: "\n")
    var digest = SHA256()
    Array(key.utf8).withUnsafeBytes { digest.update($0) }
    return "\(folder)/\(conditions == nil ? "streaming" : "auto")-\(digest.finish().prefix(16)).tsv"
  }

  /// Size and time of the running program: a rebuilt kernel has another speed.
  package static let program: String = {
    #if os(Linux)
      var status = stat()
      guard stat("/proc/self/exe", &status) == 0 else { return "" }
      return "\(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
    #else
      return ""
    #endif
  }()
}
