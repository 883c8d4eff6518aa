import Synchronization
public import TritCore
public import TritKernels

/// Stages from files outside the lab: `--plugin FILE.c`.
///
/// A plug-in is native code that runs with the rights of the process. It is first run in a child,
/// which proves its kernels by the laws (`checkLinearKernel`): one that crashes, hangs or is wrong
/// ends there, with file and line where the library tells them. A program that loads plug-ins
/// serves as that child: its `main` begins with
///
/// ```swift
/// if let code = Plugins.childMain(CommandLine.arguments) { exit(code) }
/// ```
public enum Plugins {
  /// The first argument of a child.
  static let childWord = "__check-plugin"

  private static let serves = Atomic<Bool>(false)

  /// Whether this program can be its own child.
  static var isServed: Bool { serves.load(ordering: .relaxed) }

  /// Does a child's work where `arguments`, the program's name first, say that this process is one,
  /// and gives its exit code; else nil. The first call of a program. `entry` is that of its
  /// loaders.
  public static func childMain(_ arguments: [String], swift entry: SwiftEntry? = .kernels)
    -> Int32?
  {
    guard arguments.count > 1, arguments[1] == childWord else {
      serves.store(true, ordering: .relaxed)
      return nil
    }
    return PluginChild.main(Array(arguments.dropFirst(2)), entry: entry)
  }
}

extension Plugins {
  /// The kernels of a library that is loaded here and now, unproved: of a cell, whose process is a
  /// child already. Empty where it offers none. `path` is what messages call its source, `digest`
  /// the SHA-256 of that.
  ///
  /// Throws `badData` for a library that cannot be loaded or says what no kernel can be.
  package static func kernels(ofLibrary library: String, path: String, digest: String) throws -> [(
    descriptor: StageDescriptor, kernel: any LinearKernel
  )] {
    guard try LoadedLibrary(library, of: path).symbol("trit_kernels") != nil else { return [] }
    return try PluginLibrary(library, of: path).entries.map { entry in
      var descriptor = PluginLoader.descriptor(entry, path: path)
      descriptor.origin = .plugin(path: path, digest: digest)
      return (descriptor, CKernel(entry, digest: digest))
    }
  }
}

/// A plug-in whose kernels have passed the laws on this machine.
public struct LoadedPlugin: Sendable {
  /// The file, as it was named.
  public let path: String
  /// SHA-256 of its source in hexadecimal; of the digests of all of it where it includes files of
  /// its own.
  public let digest: String
  /// Its kernels in the order of the file, with what registries want to know. One that this CPU
  /// cannot run has a reason in `unavailable`, and has not been checked.
  public let kernels: [(descriptor: StageDescriptor, kernel: any LinearKernel)]
  /// What the compiler warned of; empty mostly.
  public let warnings: String
  /// Whether the compiler ran for it now.
  public let wasCompiled: Bool
  /// Whether the laws were checked now, not by an earlier run of this program on this CPU.
  public let wasChecked: Bool
}

/// Compiles plug-ins, has them checked, and loads them.
public struct PluginLoader: Sendable {
  /// Makes the libraries.
  public let builder: PluginBuilder
  /// The program that serves as the child; nil for this one.
  public let program: String?
  /// Seconds that the laws of one plug-in may take.
  public let seconds: Int

  /// A loader that keeps libraries and verdicts in `folder` (`PluginBuilder`).
  ///
  /// - Parameters:
  ///   - program: a program whose `main` begins with `Plugins.childMain`; nil for this one.
  ///   - seconds: how long the checks of one plug-in may take; a kernel that is fast takes 0.3 s.
  ///   - entry: what plug-ins of Swift register in, as the program's `childMain` has it.
  ///   - path: where compilers are looked for, by default the PATH of the environment.
  public init(
    folder: String, program: String? = nil, seconds: Int = 20, swift entry: SwiftEntry? = .kernels,
    path: String? = nil
  ) {
    precondition(seconds > 0, "a check takes at least a second")
    builder = PluginBuilder(folder: folder, program: program, swift: entry, path: path)
    self.program = program
    self.seconds = seconds
  }

  /// Loads the plug-in at `path`.
  ///
  /// Throws what `PluginBuilder.build` throws; `badData` where the library offers no kernel of this
  /// version of `trit_kernel.h`; `verdict` where a kernel breaks a law; `failure` where it crashes
  /// or does not end.
  ///
  /// - Parameter approve: is given the digest of what was compiled, before anything of it runs; it
  ///   throws to refuse it.
  public func load(_ path: String, approve: (_ digest: String) throws -> Void = { _ in }) throws
    -> LoadedPlugin
  {
    if path.hasSuffix(".swift") { throw Self.wrongLanguage(path) }
    let (product, wasChecked) = try prove(path, approve)
    let library = try PluginLibrary(product.library, of: path)
    return LoadedPlugin(
      path: path, digest: product.digest,
      kernels: library.entries.map { entry in
        (Self.descriptor(entry, path: path), CKernel(entry, digest: product.digest))
      },
      warnings: product.warnings, wasCompiled: product.isFresh, wasChecked: wasChecked)
  }

  /// Loads the plug-in of Swift at `path`, which registers its stages in what `SwiftEntry` says.
  ///
  /// Throws as `load` does.
  public func loadSwift(_ path: String, approve: (_ digest: String) throws -> Void = { _ in })
    throws
    -> SwiftPlugin
  {
    if !path.hasSuffix(".swift") { throw Self.wrongLanguage(path) }
    let (product, wasChecked) = try prove(path, approve)
    return try SwiftPlugin(
      product.library, of: path, digest: product.digest, warnings: product.warnings,
      wasCompiled: product.isFresh, wasChecked: wasChecked)
  }

  private func prove(_ path: String, _ approve: (String) throws -> Void) throws -> (
    product: PluginBuilder.Product, wasChecked: Bool
  ) {
    let product = try builder.build(path)
    try approve(product.digest)
    let check = PluginCheck(
      product: product, path: path, folder: builder.folder, program: program, seconds: seconds,
      toolchain: builder.toolchain)
    return (product, try check.require())
  }

  private static func wrongLanguage(_ path: String) -> LabError {
    LabError(
      .usage, "this call loads plug-ins of another language", at: path,
      expected: "load for C and C++, loadSwift for Swift")
  }

  static func descriptor(_ entry: PluginLibrary.Entry, path: String) -> StageDescriptor {
    let missing = entry.features.missingHere
    let file = VisibleText.line(path.split(separator: "/").last.map(String.init) ?? path)
    return StageDescriptor(
      entry.name, summary: entry.summary ?? "a kernel of the plug-in \(file)",
      source: entry.source ?? file,
      accepts: "ternary weights (scale per tensor or row), int8 activations",
      gives: "int32 sums, float32 outputs", instructionSets: entry.features.names,
      unavailable: missing.isEmpty
        ? nil : "this CPU has no \(missing.joined(separator: ", "))",
      kernel: KernelFacts())
  }
}
