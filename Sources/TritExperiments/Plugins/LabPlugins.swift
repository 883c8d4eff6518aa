public import TritCore
internal import TritKernels
public import TritPlugins

/// Loads plug-ins into a lab: kernels from files of C, any stage, measure or figure from files of
/// Swift.
///
/// A file of Swift imports `TritLab` and declares
/// ```swift
/// func register(_ lab: inout Lab) throws { try lab.add(.kernel, StageDescriptor("mine", …)) { _ in Mine() } }
/// ```
public struct LabPlugins: Sendable {
  private let loader: PluginLoader

  /// A loader that keeps what it compiles in `folder`, which it makes for the owner alone. `base`
  /// is what plug-ins of Swift are tried on before they are loaded.
  public init(folder: String, base: Lab = .standard) {
    loader = PluginLoader(folder: folder, swift: Self.entry(base))
  }

  /// What a program gives `Plugins.childMain` so that it can check plug-ins of Swift.
  public static func entry(_ base: Lab = .standard) -> SwiftEntry {
    SwiftEntry(
      "Lab",
      make: { path, digest in
        var lab = base
        lab.guest = .plugin(path: path, digest: digest)
        return lab
      },
      check: { lab, tell in violations(lab, beside: base, telling: tell) })
  }

  /// Whether a file's name says that it is a plug-in.
  public static func isPlugin(_ path: String) -> Bool {
    endings.contains { path.hasSuffix($0) }
  }

  /// How files of plug-ins end.
  public static let endings = [".c", ".cc", ".cpp", ".cxx", ".swift"]

  /// Adds the stages of the file at `path` to `lab`, and gives what the compiler warned of. They
  /// have been proved in a child before. Throws a `LabError` that names the file, and leaves `lab`
  /// as it was.
  ///
  /// - Parameter approve: is given the digest of what was compiled, before anything of it runs; it
  ///   throws to refuse it.
  @discardableResult public func load(
    _ path: String, into lab: inout Lab, approve: (_ digest: String) throws -> Void = { _ in }
  ) throws -> String {
    guard FileKind(at: path) != .absent else {
      throw LabError(
        .missingInput, "there is no such plug-in", at: path,
        expected: "a file that ends in \(Self.endings.joined(separator: ", "))", code: .notBuilt)
    }
    guard Self.isPlugin(path) else {
      throw LabError(
        .usage, "a plug-in is a file of C, C++ or Swift", at: path,
        expected: "a name that ends in \(Self.endings.joined(separator: ", "))", code: .notBuilt)
    }
    return path.hasSuffix(".swift")
      ? try loadSwift(path, &lab, approve) : try loadNative(path, &lab, approve)
  }

  private func loadNative(
    _ path: String, _ lab: inout Lab, _ approve: (String) throws -> Void
  ) throws -> String {
    let plugin = try loader.load(path, approve: approve)
    var changed = lab
    for (descriptor, kernel) in plugin.kernels {
      var descriptor = descriptor
      descriptor.origin = .plugin(path: path, digest: plugin.digest)
      try changed.add(.kernel, descriptor) { _ in kernel }
    }
    lab = changed
    return plugin.warnings
  }

  private func loadSwift(
    _ path: String, _ lab: inout Lab, _ approve: (String) throws -> Void
  ) throws -> String {
    let plugin = try loader.loadSwift(path, approve: approve)
    var changed = lab
    let before = lab.guest
    changed.guest = .plugin(path: path, digest: plugin.digest)
    try plugin.register(into: &changed)
    changed.guest = before
    guard changed.guests.count > lab.guests.count else {
      throw LabError(
        .badData, "the plug-in adds nothing", at: path,
        expected: "func register(_ lab: inout Lab) throws that calls lab.add", code: .notBuilt)
    }
    lab = changed
    return plugin.warnings
  }

  /// What the stages that `lab` has and `base` has not broke of the laws of their kinds, each named
  /// in the evidence.
  private static func violations(
    _ lab: Lab, beside base: Lab, telling tell: (String) -> Void
  ) -> [LawViolation] {
    lab.guests.flatMap { key, descriptor -> [LawViolation] in
      guard descriptor.unavailable == nil, base.kind(key)?.descriptor(descriptor.name) == nil else {
        return []
      }
      let stage = "\(lab.kind(key)?.stage ?? key.rawValue) '\(descriptor.name)'"
      tell(stage)
      do {
        return try lab.violations(of: key, descriptor.name).map { broken in
          let isNamed = broken.evidence.contains("'\(descriptor.name)'")
          return isNamed ? broken : LawViolation(broken.law, "\(stage): \(broken.evidence)")
        }
      } catch {
        let law = "a stage can be made with its default parameters"
        return [LawViolation(law, "\(stage): \(error)")]
      }
    }
  }
}
