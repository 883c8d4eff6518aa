import TritLab

/// Carries out `--plugin FILE`: adds what the file holds to `lab`. It throws a `LabError` that
/// names the file for one that cannot be loaded.
///
/// Loading comes before the other options are checked, so that they may name what was added. A file
/// that is named twice is loaded once.
public typealias PluginLoader = @Sendable (_ path: String, _ lab: inout Lab) throws -> Void

extension TritCommand {
  /// The loader of a program that has none: every file is refused.
  public static let noPlugins: PluginLoader = { path, _ in
    throw LabError(
      .usage, "this build of trit loads no plug-ins", at: "--plugin \(path)",
      advice: "leave --plugin out; 'trit list' names the stages that this build has")
  }

  /// `lab` with what the files of the `--plugin` options in `words` add.
  static func lab(
    _ lab: Lab, adding words: [String], for command: CommandSpec, by load: PluginLoader
  ) throws -> Lab {
    var lab = lab
    var loaded: Set<String> = []
    for path in ArgumentParser.values(of: .plugin, in: words, for: command)
    where loaded.insert(path).inserted {
      try load(path, &lab)
    }
    return lab
  }
}
