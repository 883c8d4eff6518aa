import TritLab

/// Carries out `--plugin FILE`: adds what the file holds to `lab`. It throws a `LabError` that
/// names the file for one that cannot be loaded.
///
/// Loading comes before the other options are checked, so that they may name what was added. A file
/// that is named twice is loaded once.
public typealias PluginLoading = @Sendable (_ path: String, _ lab: inout Lab) throws -> Void

/// Carries out `plugins:` of an experiment file: as `PluginLoading` does, but what is loaded has
/// its digest approved before anything of it runs. `approve` throws to refuse it.
package typealias ApprovedLoading =
  @Sendable (_ path: String, _ lab: inout Lab, _ approve: (_ digest: String) throws -> Void) throws
  -> Void

extension TritCommand {
  /// The loader of a program that has none: every file is refused.
  public static let noPlugins: PluginLoading = { path, _ in
    throw LabError(
      .usage, "this build of trit loads no plug-ins", at: "--plugin \(path)",
      advice: "leave --plugin out; 'trit list' names the stages that this build has")
  }

  /// The loader of files of C and Swift, which are compiled by the toolchain, kept in the cache
  /// folder, and approved before anything of them runs. Warnings of the compiler are not printed
  /// where `isQuiet`.
  static func approvedPlugins(_ base: Lab, isQuiet: Bool = false) -> ApprovedLoading {
    { path, lab, approve in
      guard let cache = CacheFolder.path else {
        throw LabError(
          .usage, "there is no folder to keep compiled plug-ins in", at: path,
          expected: "HOME or XDG_CACHE_HOME in the environment",
          advice: "set XDG_CACHE_HOME to a folder of yours")
      }
      let loader = LabPlugins(folder: cache + "/plugins", base: base)
      let warnings = try loader.load(path, into: &lab, approve: approve)
      if !warnings.isEmpty, !isQuiet { Terminal.note(VisibleText.lines(warnings)) }
    }
  }

  /// A loader of somebody else's for files that have to be approved: by the SHA-256 of the file.
  static func approved(_ load: @escaping PluginLoading) -> ApprovedLoading {
    { path, lab, approve in
      // What is not there is the loader's to refuse.
      if FileKind(at: path) != .absent {
        let bytes = try WholeFile.read(path, limit: PluginBuilder.limit)
        try approve(bytes.withUnsafeBytes { SHA256.hex($0) })
      }
      try load(path, &lab)
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
