import Foundation
import TritCore
import TritFormats

/// A training's checkpoint: masters and both means of Adam in float32, the number of steps, and
/// which training it belongs to. With the seed this is all that the next step depends on.
package struct TrainingState {
  /// Steps done.
  package var step: Int
  /// Seconds of training so far.
  package var seconds: Double
  /// Digest of the settings and the tokens.
  package var identity: String

  /// The state after `step` steps.
  package init(step: Int, seconds: Double, identity: String) {
    self.step = step
    self.seconds = seconds
    self.identity = identity
  }

  /// Writes the state, whole or not at all.
  package func write(_ parameters: ParameterSet, _ optimizer: AdamW, to path: String) throws {
    let tensors =
      try parameters.tensors(of: parameters.values, as: .f32, prefix: "value.")
      + parameters.tensors(of: optimizer.means, as: .f32, prefix: "mean.")
      + parameters.tensors(of: optimizer.squares, as: .f32, prefix: "square.")
    try SafetensorsWriter.write(
      tensors,
      metadata: [
        "format": "tritlab-training-1", "step": "\(step)", "seconds": "\(seconds)",
        "identity": identity, "updates": "\(optimizer.updates)",
      ], to: path)
  }

  /// Reads a state into `parameters` and `optimizer`; nil where there is none. Throws `usage` for
  /// the state of another training, `badData` for a damaged one.
  package static func read(
    _ path: String, identity: String, into parameters: ParameterSet, _ optimizer: AdamW
  ) throws -> TrainingState? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let file = try SafetensorsFile(path: path)
    let metadata = file.metadata
    guard metadata["format"] == "tritlab-training-1",
      let step = metadata["step"].flatMap({ Int($0) }), step >= 0,
      let updates = metadata["updates"].flatMap({ Int($0) }), updates >= 0,
      let seconds = metadata["seconds"].flatMap({ Double($0) }),
      let found = metadata["identity"]
    else {
      throw LabError(.badData, "this is no checkpoint of a training", at: path)
    }
    guard found == identity else {
      throw LabError(
        .usage, "the folder holds a checkpoint of another training", at: path,
        expected: "the same settings and the same text",
        advice: "name another output folder, or start over with --restart")
    }
    for info in parameters.list {
      try parameters.load(file, info, named: "value." + info.name, into: parameters.values)
      try parameters.load(file, info, named: "mean." + info.name, into: optimizer.means)
      try parameters.load(file, info, named: "square." + info.name, into: optimizer.squares)
    }
    optimizer.updates = updates
    return TrainingState(step: step, seconds: seconds, identity: identity)
  }
}
