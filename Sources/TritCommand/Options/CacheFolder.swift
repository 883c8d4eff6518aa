import Foundation
import TritLab

/// The folder in which the program keeps what can be made again.
enum CacheFolder {
  /// `$XDG_CACHE_HOME/tritlab`, else `~/.cache/tritlab`; nil where neither variable holds an
  /// absolute path.
  static let path: String? = {
    let environment = ProcessInfo.processInfo.environment
    if let cache = environment["XDG_CACHE_HOME"], cache.hasPrefix("/") { return cache + "/tritlab" }
    if let home = environment["HOME"], home.hasPrefix("/") { return home + "/.cache/tritlab" }
    return nil
  }()

  /// Where prepared weights are kept.
  static var images: String? { path.map { $0 + "/images" } }

  /// Lets `auto` keep what it measured.
  static func rememberDecisions() {
    if let path { AutoMemory.shared.remember(in: path) }
  }
}
