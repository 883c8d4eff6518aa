import Foundation
import TritCore

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What works in this process beside the threads that the arena knows, and what code was loaded.
struct ArenaWitness {
  private let threads: Set<Int64>
  private let before: (process: UInt64, own: UInt64)
  private let objects: Set<String>
  private let hadChildren: Bool

  /// Takes down what there is now: before the contestant is loaded.
  init() {
    threads = Self.threads()
    before = (HardwareClock.processNanoseconds(), Self.time(threads))
    objects = Self.objects()
    hadChildren = Self.hasChildren()
  }

  /// Numbers of the threads of this process; empty where the system does not tell.
  private static func threads() -> Set<Int64> {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
    return Set(names.compactMap { Int64($0) })
  }

  private static func time(_ threads: Set<Int64>) -> UInt64 {
    threads.reduce(0) { $0 + HardwareClock.threadNanoseconds($1) }
  }

  /// Files that code of this process was mapped from.
  static func objects() -> Set<String> {
    let text = (try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8)) ?? ""
    return Set(
      text.split(separator: "\n").compactMap { line in
        let fields = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
        guard fields.count == 6, fields[1].contains("x") else { return nil }
        let path = fields[5].drop { $0 == " " }
        return path.hasPrefix("/") ? String(path) : nil
      })
  }

  /// Which other threads or processes work for the kernel; nil where none does. Threads that have
  /// ended are found by the time that they used.
  func strangers() -> String? {
    guard !threads.isEmpty else { return nil }
    // The process first: what the known ones use between the two readings only takes away.
    let process = HardwareClock.processNanoseconds() &- before.process
    let own = Self.time(threads) &- before.own
    let others = Self.threads().subtracting(threads).count
    let foreign = Double(process) - Double(own)
    let spent = "\(Int(max(foreign, 0) / 1e6)) ms of CPU time beside \(own / 1_000_000) ms"
    if others > 0 {
      return "keeps \(others) thread\(others == 1 ? "" : "s") of its own (\(spent) of the threads "
        + "that call it)"
    }
    if foreign > 3e6 + 0.02 * Double(own) {
      return "starts threads of its own: \(spent) of the threads that call it"
    }
    if !hadChildren, Self.hasChildren() { return "starts another process" }
    return nil
  }

  /// Whether other processes are this one's, ended or not.
  private static func hasChildren() -> Bool {
    waitpid(-1, nil, WNOHANG) >= 0 || errno != ECHILD
  }

  /// Names, as in `libopenblas.so.0`, that belong to libraries which multiply matrices.
  private static let multipliers = [
    "blas", "mkl", "blis", "atlas", "lapack", "dnnl", "onednn", "ggml", "llama", "xnnpack",
    "qnnpack", "eigen", "armpl", "accelerate", "tvm", "tmac",
  ]

  /// Libraries of products that were loaded since, other than `file` itself.
  func libraries(except file: String?) -> [String] {
    Self.objects().subtracting(objects).filter { path in
      guard path != file else { return false }
      let name = (path.split(separator: "/").last.map(String.init) ?? path).lowercased()
      return Self.multipliers.contains { name.contains($0) }
    }.sorted()
  }
}
