import Foundation
public import TritCore
public import TritFormats
import TritModel
import TritTokenization

/// What was found in a model.
public struct ModelExamination: Sendable {
  /// A short text that the model was run on, read in one way.
  public struct Trial: Sendable {
    /// How it was read: `as it is`, `I2_S layout arm64`, `ReLU²`.
    public let name: String
    /// Perplexity of the short text.
    public let perplexity: Double
  }

  /// Where the model is.
  public let path: String
  /// `GGUF` or `Hugging Face`.
  public let container: String
  /// As the file names it; empty where it does not.
  public internal(set) var architecture = ""
  /// What is wrong, in the order of `DoctorCheck`.
  public internal(set) var findings: [ModelFinding] = []
  /// Every tensor, in the order of the file.
  public internal(set) var tensors: [TensorSummary] = []
  /// What the model makes of a short text; empty where it was not run.
  public internal(set) var trials: [Trial] = []
  /// What could not be looked at and why, a sentence each.
  public internal(set) var notes: [String] = []
}

/// Looks for what makes the output of a model garbage though every reader takes it: fixed mistakes
/// of converters, damaged tensors, files that do not belong together.
///
/// It works from headers and tensors, so that models are examined that the lab does not run. Two
/// checks need a forward pass: the layout of I2_S, which no file tells, and the nonlinearity of
/// BitNet files, which hangs on the name of the architecture; the perplexity of a short English
/// text decides.
public struct ModelDoctor {
  /// Threads of forward passes.
  public var threads = 2
  /// Whether the model is run.
  public var runs = true
  /// The tokenizer in place of the model's own.
  public var tokenizer: String?

  /// The defaults: two threads, and the model is run.
  public init() {}

  /// Examines the model at `path`: a GGUF file or a folder of Hugging Face. Throws `missingInput`
  /// where there is none, and `interrupted` on Ctrl-C; everything else that is wrong is a finding.
  public func examine(_ path: String, progress: ProgressReporter? = nil) throws -> ModelExamination
  {
    let subject: DoctorSubject
    do {
      subject = try DoctorSubject(path, tokenizer: tokenizer)
    } catch let error as LabError where error.kind == .badData {
      var result = ModelExamination(
        path: path, container: ModelLocation.isDirectory(path) ? "Hugging Face" : "GGUF")
      let isType = error.what.contains("has type") || error.what.contains("has the type")
      result.findings = [
        ModelFinding(
          isType ? .typeID : .container, at: error.place ?? path, error.what,
          evidence: [error.expected.map { "expected \($0)" }, error.got.map { "got \($0)" }]
            .compactMap(\.self).joined(separator: "; "),
          mend: error.advice ?? "get the file again")
      ]
      return result
    }
    var result = ModelExamination(path: path, container: subject.container)
    result.architecture = subject.architecture
    var meter = ProgressMeter(
      task: "tensors", total: subject.source.tensors.count, report: progress)
    for info in subject.source.tensors {
      try Interruption.check()
      result.tensors.append(subject.summary(of: info))
      meter.advance(value: nil)
    }
    result.findings += subject.weightFindings(result.tensors)
    result.findings += subject.scaleFindings(result.tensors)
    result.findings += subject.tokenizerFindings()
    result.findings += subject.configurationFindings()
    for summary in result.tensors {
      guard let problem = summary.problem, problem.got?.contains("codes 3") != true,
        !result.findings.contains(where: { $0.place.contains(summary.info.name) })
      else { continue }
      result.notes.append("\(summary.info.name): \(problem.what)")
    }
    let checkpoint = opened(subject, &result)
    if runs, let checkpoint { try runTrials(subject, checkpoint, &result) }
    let order = DoctorCheck.allCases
    result.findings.sort {
      (order.firstIndex(of: $0.check) ?? 0) < (order.firstIndex(of: $1.check) ?? 0)
    }
    return result
  }

  /// The model as the lab opens it. A refusal is a finding where nothing else explains it.
  private func opened(
    _ subject: DoctorSubject, _ result: inout ModelExamination
  ) -> Checkpoint? {
    do {
      return try Checkpoint(path: subject.path, tokenizer: tokenizer)
    } catch {
      let error = error as? LabError ?? LabError(.badData, "\(error)")
      let text = "the lab does not run it: \(error.what)" + (error.place.map { " (\($0))" } ?? "")
      guard result.findings.isEmpty else {
        result.notes.append(text)
        return nil
      }
      result.findings.append(
        ModelFinding(
          .refused, at: error.place ?? subject.path, error.what,
          evidence: [error.expected.map { "expected \($0)" }, error.got.map { "got \($0)" }]
            .compactMap(\.self).joined(separator: "; "),
          mend: error.advice ?? "take another file of the model"))
      return nil
    }
  }
}
