import Foundation

/// Paths that mean the same from every folder.
package enum AbsolutePath {
  /// `path` from the root on. What it says on the way (`..`, links) stays as it is: behind a link,
  /// `..` is another folder than the text before it.
  package static func of(_ path: String) -> String {
    path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
  }

  /// The same without `.`, `..` and empty parts, by the text alone: for records and messages, where
  /// one file should have one name.
  package static func standardized(_ path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.path
  }
}
