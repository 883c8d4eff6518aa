import Foundation
import TritCore

/// The weights of a Hugging Face checkpoint folder.
public enum Safetensors {
  /// Name of the index of a sharded checkpoint.
  public static let indexName = "model.safetensors.index.json"
  /// Name of the single file of a small checkpoint.
  public static let fileName = "model.safetensors"

  /// Opens the weights in `directory`: the index if there is one, else the single file. Throws
  /// `missingInput` when there is neither.
  public static func open(directory: String) throws -> any TensorSource {
    let folder = directory.hasSuffix("/") ? directory : directory + "/"
    let manager = FileManager.default
    if manager.fileExists(atPath: folder + indexName) {
      return try ShardedSafetensors(path: folder + indexName)
    }
    if manager.fileExists(atPath: folder + fileName) {
      return try SafetensorsFile(path: folder + fileName)
    }
    var isFolder: ObjCBool = false
    let exists = manager.fileExists(atPath: directory, isDirectory: &isFolder)
    let what =
      !exists
      ? "there is no such folder"
      : isFolder.boolValue ? "the folder holds no safetensors weights" : "this is no folder"
    throw LabError(
      .missingInput, what, at: directory,
      expected: "a checkpoint folder: config.json, \(fileName) or \(indexName) with its files, and "
        + "tokenizer.json or tokenizer.model",
      advice: "get one with: hf download ORG/NAME --local-dir \(directory)")
  }
}
