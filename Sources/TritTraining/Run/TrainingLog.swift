import Foundation
import TritCore
public import TritFormats

/// `metrics.jsonl`: one line a step, and one a validation.
public struct TrainingLog: Sendable {
  /// The file.
  public let path: String

  /// The log at `path`.
  public init(path: String) { self.path = path }

  /// The lines that are whole JSON objects, in order; none where there is no file.
  public func lines() -> [JSONValue] {
    guard let data = FileManager.default.contents(atPath: path) else { return [] }
    return String(decoding: data, as: UTF8.self).split(separator: "\n").compactMap { line in
      guard let value = try? JSONReader.read(String(line), path: path), value["step"] != nil else {
        return nil
      }
      return value
    }
  }

  /// Drops what was logged after `step` (a run that was killed had gone beyond its last checkpoint) and
  /// what stands there twice, and puts the rest in order: each step once, then its validation once. Gives
  /// the steps that have a validation.
  @discardableResult package func rewind(to step: Int) throws -> Set<Int> {
    var steps: [Int: JSONValue] = [:]
    var validations: [Int: JSONValue] = [:]
    for line in lines() {
      guard let number = line["step"]?.integer, number <= step else { continue }
      if line["validation_loss"] == nil { steps[number] = line } else { validations[number] = line }
    }
    var text = ""
    for number in Set(steps.keys).union(validations.keys).sorted() {
      for line in [steps[number], validations[number]].compactMap({ $0 }) {
        text += JSONWriter.text(line) + "\n"
      }
    }
    try AtomicFile.write(text, to: path)
    return Set(validations.keys)
  }

  /// Drops the validation of `step`, which is made again.
  func dropValidation(of step: Int) throws {
    let kept = lines().filter { $0["validation_loss"] == nil || $0["step"]?.integer != step }
    try AtomicFile.write(kept.map { JSONWriter.text($0) + "\n" }.joined(), to: path)
  }

  /// Puts what has been logged on the disk: a checkpoint never knows of steps that the log lost.
  func sync() throws {
    guard let handle = FileHandle(forWritingAtPath: path) else { return }
    defer { try? handle.close() }
    do {
      try handle.synchronize()
    } catch {
      throw LabError(
        .cannotCreate, "cannot write the log: \(error.localizedDescription)", at: path)
    }
  }

  func append(_ value: JSONValue) throws {
    guard let handle = FileHandle(forWritingAtPath: path) else {
      throw LabError(.cannotCreate, "cannot write the log", at: path)
    }
    defer { try? handle.close() }
    do {
      try handle.seekToEnd()
      try handle.write(contentsOf: Data((JSONWriter.text(value) + "\n").utf8))
    } catch {
      throw LabError(
        .cannotCreate, "cannot write the log: \(error.localizedDescription)", at: path)
    }
  }

  func append(_ record: StepRecord) throws {
    try append([
      "step": JSONValue(record.step), "tokens": JSONValue(record.tokens),
      "loss": JSONValue(record.loss), "rate": JSONValue(record.rate),
      "gradient_norm": JSONValue(record.gradientNorm),
      "tokens_per_second": JSONValue((record.tokensPerSecond * 10).rounded() / 10),
      "seconds": JSONValue((record.seconds * 1000).rounded() / 1000),
    ])
  }
}
