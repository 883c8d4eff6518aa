internal import Foundation
internal import TritCore

/// Where experiment files and their plug-ins may lie. What was downloaded with a model is not run:
/// whoever gets weights does not expect that they bring native code.
enum PluginPlace {
  /// Throws where the experiment file or the plug-in lies in a cache of Hugging Face's, or in the
  /// folder of a model.
  static func check(_ plugin: String, experiment: String) throws {
    for (path, what) in [(plugin, "the plug-in"), (experiment, "the experiment file")] {
      // Behind links, too: files of a cache's snapshots are links to blobs of the same cache.
      for spelling in Set([AbsolutePath.standardized(path), real(path)]) {
        guard let folder = modelFolder(above: spelling) else { continue }
        throw LabError(
          .badData, "\(what) came with a model, and plug-ins are native code: it is not run",
          at: plugin, expected: "a file in a folder of yours", got: "\(path), in \(folder)",
          advice: "read it; if it is what you want, copy it to a folder of yours and name the copy")
      }
    }
  }

  /// The nearest folder above that a model came in; nil where there is none.
  private static func modelFolder(above path: String) -> String? {
    let cache = cacheRoots.first { path.hasPrefix($0 + "/") }
    if let cache { return cache }
    var folder = (path as NSString).deletingLastPathComponent
    while folder.count > 1 {
      // Sources: huggingface.co/docs/huggingface_hub/guides/manage-cache (models--ORG--NAME), and
      // …/guides/download (what `hf download --local-dir` leaves beside the files).
      let name = (folder as NSString).lastPathComponent
      let isOfCache = ["models--", "datasets--", "spaces--"].contains { name.hasPrefix($0) }
      let isDownloaded = [".cache/huggingface/download", ".huggingface/download"]
        .contains { FileKind(at: folder + "/" + $0) == .folder }
      if isOfCache || isDownloaded || isCheckpoint(folder) { return folder }
      folder = (folder as NSString).deletingLastPathComponent
    }
    return nil
  }

  /// Whether the folder is a checkpoint: a configuration with weights beside it.
  private static func isCheckpoint(_ folder: String) -> Bool {
    FileKind(at: folder + "/config.json") != .absent
      && ((try? FolderListing(folder).names) ?? []).contains { $0.hasSuffix(".safetensors") }
  }

  /// Where Hugging Face's tools keep what they download. Source: huggingface_hub/constants.py.
  private static var cacheRoots: [String] {
    let environment = ProcessInfo.processInfo.environment
    let roots = [
      environment["HF_HUB_CACHE"], environment["HUGGINGFACE_HUB_CACHE"],
      environment["HF_HOME"].map { $0 + "/hub" }, environment["HF_HOME"].map { $0 + "/modules" },
      environment["XDG_CACHE_HOME"].map { $0 + "/huggingface" },
      environment["HOME"].map { $0 + "/.cache/huggingface" },
    ]
    return Set(
      roots.compactMap(\.self).filter { $0.count > 1 }.flatMap {
        [AbsolutePath.standardized($0), real($0)]
      }
    )
    .sorted()
  }

  /// The path behind all links; the absolute one where there is no such file.
  static func real(_ path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath().path
  }
}
