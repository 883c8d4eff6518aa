import Foundation
import TritLab

import TritExperiments

/// Runs `body` with a fresh folder that is removed afterwards.
func withTemporaryFolder<R>(_ body: (String) throws -> R) throws -> R {
  let path = NSTemporaryDirectory() + "trit-experiments-\(UUID().uuidString)"
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer {
    chmod(path, 0o755)
    try? FileManager.default.removeItem(atPath: path)
  }
  return try body(path)
}

/// Decodes a text as an experiment file called `x.yaml` with the lab's own lab.
func decode(_ text: String, set overrides: [String] = []) throws -> ExperimentFile {
  try ExperimentFile.decode(
    YAMLReader.read(text, name: "x.yaml"), path: "x.yaml", overrides: overrides,
    lab: .standard)
}

/// The problems of a text that must not decode.
func problems(_ text: String, set overrides: [String] = []) -> [LabError] {
  do {
    _ = try ExperimentPlan(decode(text, set: overrides))
    return []
  } catch let errors as LabErrors {
    return errors.problems
  } catch let error as LabError {
    return [error]
  } catch {
    return []
  }
}
