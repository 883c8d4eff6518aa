import TritLab

/// Carries out `--plugin FILE`: adds what the file holds to `lab`. It throws a `LabError` that
/// names the file for one that cannot be loaded.
///
/// Loading comes before the other options are checked, so that they may name what was added. A file
/// that is named twice is loaded once.
public typealias PluginLoading = @Sendable (_ path: String, _ lab: inout Lab) throws -> Void

extension TritCommand {
  /// The loader of a program that has none: every file is refused.
  public static let noPlugins: PluginLoading = { path, _ in
    throw LabError(
      .usage, "this build of trit loads no plug-ins", at: "--plugin \(path)",
      advice: "leave --plugin out; 'trit list' names the stages that this build has")
  }

  /// The loader of files of C and Swift, which are compiled by the toolchain and kept in the cache folder.
  public static func compiledPlugins(_ base: Lab) -> PluginLoading {
    { path, lab in
      guard let cache = CacheFolder.path else {
        throw LabError(
          .usage, "there is no folder to keep compiled plug-ins in", at: "--plugin \(path)",
          expected: "HOME or XDG_CACHE_HOME in the environment",
          advice: "set XDG_CACHE_HOME to a folder of yours")
      }
      let warnings = try LabPlugins(folder: cache + "/plugins", base: base).load(path, into: &lab)
      if !warnings.isEmpty { Terminal.note(VisibleText.lines(warnings)) }
    }
  }

  /// `lab` with what the files of the `--plugin` options in `words` add.
  static func lab(
    _ lab: Lab, adding words: [String], for command: CommandSpec, by load: PluginLoading
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
