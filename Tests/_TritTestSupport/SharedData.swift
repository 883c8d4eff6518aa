import Foundation

/// Where the data of others lies that tests compare with, when it is there.
public enum SharedData {
  /// `TRITLAB_SHARED`, else `../shared` beside the checkout; nil (tests then skip) where it is
  /// absent.
  public static let root: String? = {
    let environment = ProcessInfo.processInfo.environment["TRITLAB_SHARED"]
    let checkout = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let candidate =
      environment
      ?? checkout.deletingLastPathComponent().appendingPathComponent("shared").path
    return FileManager.default.fileExists(atPath: candidate + "/data/README.md") ? candidate : nil
  }()

  /// The path of `name` below `data/`, or nil where the data is absent.
  public static func path(_ name: String) -> String? {
    guard let root else { return nil }
    let path = root + "/data/" + name
    return FileManager.default.fileExists(atPath: path) ? path : nil
  }

  /// Whether the data is there; for `.enabled(if:)`.
  public static var isPresent: Bool { root != nil }
}
