import Foundation
import TritCore
import TritFormats
import TritModel
import TritTokenization

extension ModelDoctor {
  /// Plain English that a model of any size has seen the like of.
  static let text = """
    Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One \
    day, she saw a big dog. The dog was happy and wagged its tail. Lily wanted to play with the dog, \
    so she asked her mom. Her mom said yes, and they played with a ball all day. When the sun went \
    down, Lily was tired, but she was very happy.
    """
  /// Tokens of it, at most.
  static let mostTokens = 128
  /// Nats a token by which another order of codes must be better, and another nonlinearity, which
  /// does not turn everything into nonsense.
  static let layoutMargin = 1.0, activationMargin = 0.5

  /// Runs the model on a short text as it is read, and in the ways in which it could be meant.
  func runTrials(
    _ subject: DoctorSubject, _ checkpoint: Checkpoint, _ result: inout ModelExamination
  ) throws {
    let asIs: Double
    do {
      asIs = try loss(checkpoint)
    } catch let error as LabError where error.kind == .interrupted {
      throw error
    } catch {
      let error = error as? LabError
      result.notes.append("not run: \(error?.what ?? "it cannot be run")")
      return
    }
    result.trials.append(.init(name: "as it is", perplexity: exp(asIs)))
    // Where weights are nonsense anyway no order of them is better.
    let damage: [DoctorCheck] = [
      .notFinite, .zeros, .saturated, .codes, .scale, .scaleConvention, .hadamard,
    ]
    guard !result.findings.contains(where: { damage.contains($0.check) }) else { return }
    // A loss that means something: well below that of guessing among all tokens.
    let good = 0.6 * log(Double(checkpoint.configuration.vocabularySize))
    func isMeant(_ other: Double, by margin: Double) -> Bool {
      other < good && other < asIs - margin
    }
    let folder = NSTemporaryDirectory() + "trit-doctor-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func attempt(_ name: String, _ open: () throws -> Checkpoint) throws -> Double? {
      do {
        let value = try loss(try open())
        result.trials.append(.init(name: name, perplexity: exp(value)))
        return value
      } catch let error as LabError where error.kind == .interrupted {
        throw error
      } catch {
        result.notes.append("not tried as \(name): \((error as? LabError)?.what ?? "\(error)")")
        return nil
      }
    }
    if let gguf = subject.gguf, gguf.tensors.contains(where: { $0.type == .i2_s }) {
      var best: (layout: I2SLayout, loss: Double)?
      for layout in I2SLayout.others {
        let value = try attempt("I2_S layout \(layout.rawValue)") {
          try I2SLayout.$assumed.withValue(layout) {
            try Checkpoint(path: subject.path, tokenizer: tokenizer)
          }
        }
        if let value, value < best?.loss ?? .infinity { best = (layout, value) }
      }
      if let best, isMeant(best.loss, by: Self.layoutMargin) {
        result.findings.append(
          ModelFinding(
            .layout, at: "\(subject.path): tensors of type I2_S",
            "the codes lie in another order than that of bitnet.cpp's files: read as they are they give "
              + "nonsense",
            evidence: "perplexity of a short text \(Self.digits(exp(asIs))) in blocks of 128, "
              + "\(Self.digits(exp(best.loss))) as \(best.layout.words)", mend: best.layout.mend))
        return
      }
    }
    guard subject.isBitNet, subject.saysReLU2 != nil,
      !result.findings.contains(where: { $0.check == .activation })
    else { return }
    let other = try attempt(subject.saysReLU2 == true ? "SiLU" : "ReLU²") {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      return try Checkpoint(
        path: try writeOtherActivation(subject, to: folder), tokenizer: tokenizer ?? subject.path)
    }
    if let other, isMeant(other, by: Self.activationMargin) {
      let (now, then) = subject.saysReLU2 == true ? ("ReLU²", "SiLU") : ("SiLU", "ReLU²")
      result.findings.append(
        subject.wrongActivation(
          evidence: "perplexity of a short text \(Self.digits(exp(asIs))) with \(now), "
            + "\(Self.digits(exp(other))) with \(then)"))
    }
  }

  static func digits(_ value: Double) -> String { String(format: "%.4g", value) }

  /// The mean loss in nats a token: of plain English or of a built-in story, whichever the model
  /// knows better. Small models know one kind of text.
  private func loss(_ checkpoint: Checkpoint) throws -> Double {
    let trained = checkpoint.configuration.contextLength
    let length = min(trained, Self.mostTokens)
    let engine = try Engine(
      checkpoint: checkpoint,
      options: EngineOptions(threads: threads, maxContext: length))
    let story = try TextDataset.load("builtin:storyteller/test:2")
    return try [(Self.text, false), (story.text, story.writesControlTokens)].map { text, special in
      let tokens = try engine.tokenizer.encode(text, addSpecial: true, parseSpecial: special)
      let window = ScoringWindow(tokens: Array(tokens.prefix(length)), firstScored: 0)
      return try Perplexity.measure(
        engine, windows: [window], method: .contiguous(context: length)
      ).meanNLL.value
    }.min() ?? .nan
  }

  /// The same model with the other nonlinearity, as a file or folder of links.
  private func writeOtherActivation(_ subject: DoctorSubject, to folder: String) throws -> String {
    let toReLU2 = subject.saysReLU2 == false
    if let gguf = subject.gguf {
      let name = toReLU2 ? "bitnet-b1.58" : "bitnet"
      let path = folder + "/activation.gguf"
      try GGUFCopy(gguf, renaming: (subject.architecture, name)).write(to: path)
      return path
    }
    let manager = FileManager.default
    // A link is read from where it lies.
    let source = AbsolutePath.standardized(subject.path)
    for name in try FolderListing(subject.path).names where name != "config.json" {
      try manager.createSymbolicLink(
        atPath: folder + "/" + name, withDestinationPath: source + "/" + name)
    }
    let config = (subject.config ?? [:]).setting(
      "hidden_act", .string(toReLU2 ? "relu2" : "silu"))
    try AtomicFile.write(JSONWriter.text(config), to: folder + "/config.json")
    return folder
  }
}
