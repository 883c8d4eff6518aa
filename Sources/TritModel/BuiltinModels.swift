import Foundation
import TritCore

/// The models that ship with the lab, by the name after `builtin:`.
public enum BuiltinModels {
  /// The models that are there, in alphabetical order.
  public static var names: [String] {
    guard let root else { return [] }
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
    return entries.filter { FileManager.default.fileExists(atPath: "\(root)/\($0)/config.json") }
      .sorted()
  }

  /// The folder of the model `name`. Throws `missingInput` that names those that are there.
  public static func folder(_ name: String) throws -> String {
    let names = names
    guard let root, names.contains(name) else {
      throw LabError(
        .missingInput, "there is no built-in model '\(name)'", at: "builtin:\(name)",
        expected: names.isEmpty
          ? "built-in models beside the command" : names.joined(separator: ", "),
        advice: Suggestion.didYouMean(name, names)
          ?? "give a checkpoint folder or a GGUF file, as in -m path/to/model")
    }
    return "\(root)/\(name)"
  }

  /// The folder of all built-in models: `TRITLAB_MODELS`, else the package's resources beside the
  /// running program, else the checkout that the program was built from. The accessor that SwiftPM
  /// generates traps where there is none, so it is not used.
  private static let root: String? = {
    let environment = ProcessInfo.processInfo.environment["TRITLAB_MODELS"]
    let program = (CommandLine.arguments.first).map { path in
      URL(
        fileURLWithPath: (try? FileManager.default.destinationOfSymbolicLink(
          atPath: "/proc/self/exe")) ?? path
      )
      .deletingLastPathComponent().path
    }
    let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
    let candidates = [
      environment, program.map { $0 + "/TritLab_TritModel.resources/Resources" },
      source + "/Resources",
    ]
    return candidates.compactMap { $0 }.first { ModelLocation.isDirectory($0) }
  }()
}
