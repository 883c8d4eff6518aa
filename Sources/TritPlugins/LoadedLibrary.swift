internal import CTritPlugin
import TritCore

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A shared library that has been loaded, and never is unloaded: its functions may be in use
/// anywhere.
package struct LoadedLibrary {
  private let handle: UnsafeMutableRawPointer

  /// Loads `library`, which was made of the file at `path`. Throws `badData` with the loader's
  /// words. Libraries that are loaded later see its names where `isShared` says so.
  package init(_ library: String, of path: String, isShared: Bool = false) throws {
    guard let handle = dlopen(library, RTLD_NOW | (isShared ? RTLD_GLOBAL : RTLD_LOCAL)) else {
      throw LabError(
        .badData, "the plug-in cannot be loaded", at: path,
        got: dlerror().map { String(cString: $0) },
        advice: "remove the library, it is made again: rm '\(library)'")
    }
    self.handle = handle
  }

  /// The address of what the library exports as `name`.
  package func symbol(_ name: String) -> UnsafeMutableRawPointer? { dlsym(handle, name) }

  /// An address within the library; nil where none is known.
  package var inside: UnsafeMutableRawPointer? { trit_library_inside(handle) }

  /// Where the library that holds `symbol` begins in memory.
  package func start(of symbol: UnsafeRawPointer) -> UInt { UInt(trit_library_start(symbol)) }

  /// The address behind its last byte.
  package func end(of symbol: UnsafeRawPointer) -> UInt { UInt(trit_library_end(symbol)) }
}
