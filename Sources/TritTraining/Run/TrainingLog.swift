import Foundation
import TritCore
public import TritFormats

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// `metrics.jsonl`: one line a step, and one a validation.
public struct TrainingLog: Sendable {
  /// The file.
  public let path: String

  /// The log at `path`.
  public init(path: String) { self.path = path }

  /// The lines that are whole JSON objects, in order; none where there is no file.
  public func lines() -> [JSONValue] {
    guard let bytes = try? WholeFile.read(path, limit: .records) else { return [] }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
      guard let value = try? JSONReader.read(String(line), path: path), value["step"] != nil else {
        return nil
      }
      return value
    }
  }

  /// Drops what was logged after `step` (a run that was killed had gone beyond its last checkpoint)
  /// and what stands there twice, and puts the rest in order: each step once, then its validation
  /// once. Gives the steps that have a validation.
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
    let descriptor = open(path, O_WRONLY | O_CLOEXEC)
    // A training without a step has no log yet.
    guard descriptor >= 0 else {
      if errno == ENOENT { return }
      throw failed(errno)
    }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw failed(errno) }
  }

  /// Appends a line, whole or not at all.
  func append(_ value: JSONValue) throws {
    let descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
    guard descriptor >= 0 else { throw failed(errno) }
    defer { close(descriptor) }
    let start = lseek(descriptor, 0, SEEK_END)
    let number = Descriptor.write(JSONWriter.text(value) + "\n", to: descriptor)
    guard number == 0 else {
      // A full disk must not leave half a line for the next reader.
      ftruncate(descriptor, start)
      throw failed(number)
    }
  }

  private func failed(_ number: Int32) -> LabError {
    LabError(
      .cannotCreate, "cannot write the log: \(SystemFailure.text(number))", at: path,
      advice: SystemFailure.advice(
        number, otherwise: "check that the folder exists, is writable and has space"))
  }

  /// Adds a step of the training that `seed` began.
  func append(_ record: StepRecord, seed: UInt64) throws {
    try append([
      "step": JSONValue(record.step), "tokens": JSONValue(record.tokens),
      "loss": JSONValue(record.loss), "rate": JSONValue(record.rate),
      "gradient_norm": JSONValue(record.gradientNorm),
      "tokens_per_second": JSONValue((record.tokensPerSecond * 10).rounded() / 10),
      "seconds": JSONValue((record.seconds * 1000).rounded() / 1000),
      "seed": .number(String(seed)),
    ])
  }
}
