import Foundation
import TritCore

/// The models that ship with the lab, by the name after `builtin:`.
public enum BuiltinModels {
  /// The models that are there, in alphabetical order.
  public static var names: [String] {
    let entries = roots.flatMap { root in
      ((try? FolderListing(root).names) ?? []).filter {
        isModel("\(root)/\($0)")
      }
    }
    return Set(entries).sorted()
  }

  /// The folder of the model `name`. Throws `missingInput` that names those that are there.
  public static func folder(_ name: String) throws -> String {
    let isPlain = !name.isEmpty && !name.contains("/") && name != ".."
    let folders = isPlain ? roots.map { "\($0)/\(name)" } : []
    guard let folder = folders.first(where: isModel) else {
      let names = names
      throw LabError(
        .missingInput, "there is no built-in model '\(name)'", at: "builtin:\(name)",
        expected: names.isEmpty
          ? "built-in models beside the command" : names.joined(separator: ", "),
        advice: trained.contains(name)
          ? "it is not shipped with this build; train it: "
            + "trit train \(ProgramPath.experiments ?? "experiments")/train/\(name).yaml"
          : Suggestion.didYouMean(name, names)
            ?? "give a checkpoint folder or a GGUF file, as in -m path/to/model")
    }
    return folder
  }

  /// The models that the lab has a training file for, shipped or not.
  private static let trained = ["storyteller", "storyteller-fp", "tiny", "tiny-fp"]

  private static func isModel(_ folder: String) -> Bool {
    FileManager.default.fileExists(atPath: folder + "/config.json")
  }

  /// Where built-in models may lie, first come first served: `TRITLAB_MODELS`, the package's
  /// resources beside the running program, `share/trit/models` beside the folder that it is
  /// installed in (`make install`), the checkout that the program was built from. The accessor that
  /// SwiftPM generates traps where there is none, so it is not used.
  private static let roots: [String] = {
    let environment = ProcessInfo.processInfo.environment["TRITLAB_MODELS"]
    let program = ProgramPath.folders.first
    let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
    let candidates = [
      environment, program.map { $0 + "/TritLab_TritModel.resources/Resources" },
      program.map { ($0 as NSString).deletingLastPathComponent + "/share/trit/models" },
      source + "/Resources",
    ]
    return candidates.compactMap { $0 }.filter { ModelLocation.isDirectory($0) }
  }()
}
