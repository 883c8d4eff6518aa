public import TritCore
import TritKernels

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What a program gives plug-ins of Swift to register their stages in.
///
/// A plug-in is one file that imports `TritLab` and declares
///
/// ```swift
/// func register(_ lab: inout T) throws
/// ```
///
/// with the `T` of the entry. It is compiled against the modules that lie beside the program, and
/// its references are resolved by the program itself, so there is one copy of every type.
public struct SwiftEntry: Sendable {
  /// `T` as it is written in Swift.
  public let type: String
  let check: @Sendable (SwiftPlugin, _ telling: (String) -> Void) throws -> [LawViolation]

  /// An entry.
  ///
  /// - Parameters:
  ///   - type: the name of `Context` in Swift, as a file sees it that imports `TritLab`.
  ///   - make: what the child registers in, for the plug-in of a path and a digest.
  ///   - check: the laws that were broken by what has been registered; none for a sound plug-in. It tells
  ///     the stage whose laws it checks next, in words, so that a crash has a name.
  public init<Context>(
    _ type: String, make: @escaping @Sendable (_ path: String, _ digest: String) -> Context,
    check: @escaping @Sendable (Context, _ telling: (String) -> Void) throws -> [LawViolation]
  ) {
    self.type = type
    self.check = { plugin, tell in
      var context = make(plugin.path, plugin.digest)
      try plugin.register(into: &context)
      return try check(context, tell)
    }
  }

  /// Kernels alone, each of which keeps the laws of kernels.
  public static let kernels = SwiftEntry(
    "Registry<any LinearKernel>",
    make: { _, _ in Registry<any LinearKernel>(.kernel) },
    check: { registry, tell in
      registry.available().flatMap { name, kernel in
        tell("kernel '\(name)'")
        return checkLinearKernel(kernel, limit: PluginChild.limit)
      }
    })
}

/// A loaded plug-in of Swift; it stays loaded as long as the process.
public struct SwiftPlugin: @unchecked Sendable {
  /// The file, as it was named.
  public let path: String
  /// SHA-256 of its source in hexadecimal.
  public let digest: String
  /// What the compiler warned of; empty mostly.
  public let warnings: String
  /// Whether the compiler ran for it now.
  public let wasCompiled: Bool
  /// Whether it was checked now, not by an earlier run of this program on this CPU.
  public let wasChecked: Bool
  private let entry: UnsafeMutableRawPointer
  /// What the library's `register` takes.
  private let context: Any.Type

  /// The symbols that the file written beside the plug-in's exports: its `register`, and the type
  /// of what that takes.
  static let symbol = "trit_plugin_entry"
  static let contextSymbol = "trit_plugin_context"

  /// Loads the library of `product`. Throws `badData` where it cannot be loaded.
  init(
    _ library: String, of path: String, digest: String, warnings: String = "",
    wasCompiled: Bool = false, wasChecked: Bool = false, loaded: (UInt, UInt) -> Void = { _, _ in }
  ) throws {
    let handle = try LoadedLibrary(library, of: path)
    guard let entry = handle.symbol(Self.symbol),
      let context = handle.symbol(Self.contextSymbol)
    else {
      throw LabError(
        .badData, "the library of the plug-in lacks its entry", at: path,
        expected: "\(Self.symbol) and \(Self.contextSymbol)",
        advice: "remove the library, it is made again: rm '\(library)'", code: .notBuilt)
    }
    loaded(handle.start(of: entry), handle.end(of: entry))
    LoadedLibraries.note(
      LoadedLibraries.Place(
        plugin: path, library: library, start: handle.start(of: entry), end: handle.end(of: entry)))
    self.path = path
    self.digest = digest
    self.warnings = warnings
    self.wasCompiled = wasCompiled
    self.wasChecked = wasChecked
    self.entry = entry
    self.context = Self.type(context)
  }

  /// Asks the library for the type that its `register` takes.
  private static func type(_ symbol: UnsafeMutableRawPointer) -> Any.Type {
    typealias Answer = @convention(c) (UnsafeMutableRawPointer) -> Void
    let answer = unsafeBitCast(symbol, to: Answer.self)
    var type: Any.Type = Never.self
    withUnsafeMutablePointer(to: &type) { answer($0) }
    return type
  }

  /// Calls the plug-in's `register`, which was compiled for the type of the `SwiftEntry` that it
  /// was loaded with.
  ///
  /// Throws `usage` where that is not `Context`: memory of one type must not be taken for another;
  /// and what `register` throws.
  public func register<Context>(into context: inout Context) throws {
    guard self.context == Context.self else {
      throw LabError(
        .usage, "the plug-in was compiled for another entry than the one that it is given",
        at: path, expected: "register(_: inout \(String(reflecting: Context.self)))",
        got: "register(_: inout \(String(reflecting: self.context)))",
        advice: "give PluginLoader and Plugins.childMain of its program one SwiftEntry",
        code: .notBuilt)
    }
    typealias Entry = @convention(c) (UnsafeMutableRawPointer, UnsafeMutableRawPointer) -> Void
    let function = unsafeBitCast(entry, to: Entry.self)
    var failure: (any Error)?
    withUnsafeMutablePointer(to: &context) { context in
      withUnsafeMutablePointer(to: &failure) { function(context, $0) }
    }
    if let failure { throw failure }
  }

  /// The file that is compiled beside the plug-in's: it gives `register` and its type names that
  /// can be looked up.
  static func entrySource(type: String) -> String {
    """
    import TritLab

    @_cdecl("\(symbol)")
    public func tritPluginEntry(
      _ context: UnsafeMutableRawPointer, _ failure: UnsafeMutableRawPointer
    ) {
      do {
        try register(&context.assumingMemoryBound(to: \(type).self).pointee)
      } catch {
        failure.assumingMemoryBound(to: (any Error)?.self).pointee = error
      }
    }

    @_cdecl("\(contextSymbol)")
    public func tritPluginContext(_ type: UnsafeMutableRawPointer) {
      type.assumingMemoryBound(to: Any.Type.self).pointee = \(type).self
    }

    """
  }
}
