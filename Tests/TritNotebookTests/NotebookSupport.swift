import Foundation
import Testing

/// What tests of cells need: the program that is its own child.
enum NotebookCase {
  /// The `trit` of this build, beside the tests.
  static let trit: String = {
    let bundle = Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0])
    return bundle.resolvingSymlinksInPath().deletingLastPathComponent()
      .appendingPathComponent("trit").path
  }()
}
