import Synchronization

/// Where the libraries of plug-ins lie in this process: which of them an address is in.
package enum LoadedLibraries {
  /// One of them.
  package struct Place: Codable, Sendable {
    /// The file that it was made of, as it was named.
    package var plugin: String
    package var library: String
    /// The addresses that it takes.
    package var start: UInt
    package var end: UInt

    /// A library's place.
    package init(plugin: String, library: String, start: UInt, end: UInt) {
      self.plugin = plugin
      self.library = library
      self.start = start
      self.end = end
    }
  }

  private static let places = Mutex<[Place]>([])

  /// All that were loaded, in order.
  package static var all: [Place] { places.withLock { $0 } }

  static func note(_ place: Place) { places.withLock { $0.append(place) } }
}
