import Foundation
import TritCore

/// The proof of a compiled plug-in: in a child, once for each library, program and CPU.
struct PluginCheck {
  let product: PluginBuilder.Product
  let path: String
  let folder: String
  let program: String?
  let seconds: Int
  let toolchain: Toolchain

  /// Throws unless all its kernels have passed. Gives whether they were checked now.
  func require() throws -> Bool {
    let folder = try PluginFolder(folder)
    let executable = try self.executable()
    let verdict = "\(product.key)-\(String(SHA256.hex(conditions(executable)).prefix(16))).passed"
    if folder.holds(verdict) { return false }
    try check(executable)
    try AtomicFile.write("\(path)\n", to: folder.file(verdict))
    return true
  }

  /// What a verdict is good for: these bytes, this program (its laws), this CPU.
  private func conditions(_ executable: String) -> String {
    let stamp = FileStamp(path: executable)
    return [
      product.digest, executable, "\(stamp?.size ?? 0) \(stamp?.modified ?? 0)",
      HostInformation.cpuName, CPUFeatures.here.names.joined(separator: " "),
    ].joined(separator: "\n")
  }

  private func executable() throws -> String {
    if let program { return program }
    guard Plugins.isServed else {
      throw LabError(
        .usage, "this program cannot check plug-ins, which happens in a child of its own kind",
        at: path, expected: "a call of Plugins.childMain at the start of its main",
        advice:
          "begin main with: if let code = Plugins.childMain(CommandLine.arguments) { exit(code) }"
      )
    }
    return ProgramPath.readable
  }

  private func check(_ executable: String) throws {
    let outcome = try Subprocess(
      program: executable,
      arguments: [Plugins.childWord, product.library, path, product.digest, "\(seconds)"],
      // The report of a crash is the child's own, and short.
      environment: ["SWIFT_BACKTRACE": "enable=no"],
      // The child ends itself in time, and tells where it was; this is for one that has lost its
      // clock.
      seconds: Double(seconds) + 10
    ).run()
    let report = ChildReport(outcome.report)
    guard report.isChild else {
      throw LabError(
        .failure, "the program that should check the plug-in did not", at: executable,
        expected: "a program whose main begins with Plugins.childMain",
        got: outcome.errors.isEmpty ? "no report" : outcome.errors,
        advice: "call Plugins.childMain first in its main")
    }
    guard let verdict = report.verdict else { throw ended(outcome, report) }
    if let refusal = verdict.refusal {
      throw LabError(
        LabError.Kind(rawValue: refusal.kind) ?? .failure, refusal.what, at: refusal.place ?? path,
        expected: refusal.expected, got: refusal.got, advice: refusal.advice,
        code: LabError.Code(rawValue: refusal.code))
    }
    if !verdict.broken.isEmpty { throw wrong(verdict) }
  }

  /// The error for kernels that break laws.
  private func wrong(_ verdict: PluginChild.Verdict) -> LabError {
    var names: [String] = []
    for broken in verdict.broken {
      if let kernel = broken.kernel, !names.contains(kernel) { names.append(kernel) }
    }
    let shown = verdict.broken.prefix(PluginChild.limit)
    var lines = shown.map { "\($0.law): \($0.evidence)" }
    if verdict.broken.count > shown.count {
      lines.append("… and \(verdict.broken.count - shown.count) more")
    }
    let who =
      switch names.count {
      case 0: "the plug-in breaks laws of its stages"
      case 1: "kernel '\(names[0])' of the plug-in is wrong"
      default: "kernels \(names.map { "'\($0)'" }.joined(separator: ", ")) of the plug-in are wrong"
      }
    return LabError(
      .verdict, who, at: path,
      expected: names.isEmpty
        ? nil : "sums[t][r] = Σ_k trit[r][k] · x[t][k], for every shape and range of rows",
      got: lines.joined(separator: "\n"),
      advice: "mend the file and give the same command again: it is compiled and checked anew",
      code: .brokenLaw)
  }

  /// The error for a child that did not come to its end.
  private func ended(_ outcome: Subprocess.Outcome, _ report: ChildReport) -> LabError {
    let step = report.step
    let frames =
      report.offsets.isEmpty
      ? [] : Symbols(toolchain: toolchain).frames(report.offsets, in: product.library)
    let frame = frames.first { $0.line > 0 }
    let place = frame.map { shown($0) } ?? path
    var got = frames.prefix(8).map { "in \($0.function) at \(shown($0))" }
    if got.isEmpty { got = [report.offsets.isEmpty ? "no frame of the plug-in" : "no lines known"] }
    if !outcome.errors.isEmpty { got.append("it said: \(outcome.errors)") }
    let what: String
    if report.signal == SIGALRM || outcome.isLate {
      what = "the plug-in did not end within \(seconds) s\(step)"
    } else if let signal = report.signal ?? outcome.signal {
      what = "the plug-in crashed (\(Self.name(of: signal)))\(step)"
    } else {
      what = "the plug-in ended the process (exit code \(outcome.code ?? 0))\(step)"
    }
    return LabError(
      .failure, what, at: place,
      got: got.joined(separator: "\n"),
      advice: "mend the file and give the same command again; nothing else was touched",
      code: .crashed)
  }

  private func shown(_ frame: Symbols.Frame) -> String {
    let file = frame.file == AbsolutePath.of(path) ? path : frame.file
    return frame.line > 0 ? "\(file):\(frame.line)" : file
  }

  static func name(of signal: Int32) -> String {
    switch signal {
    case SIGSEGV: "SIGSEGV, memory that is not its own"
    case SIGBUS: "SIGBUS, memory that is not there"
    case SIGILL: "SIGILL, an instruction that this CPU lacks, or a trap"
    case SIGFPE: "SIGFPE, a division by zero"
    case SIGABRT: "SIGABRT, an abort"
    case SIGTRAP: "SIGTRAP, a trap"
    case SIGKILL: "SIGKILL, sent by somebody, or by the system where memory is short"
    default: "signal \(signal)"
    }
  }
}
