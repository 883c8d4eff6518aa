internal import CTritPlugin
import Foundation
public import TritCore

/// Makes a library of a plug-in's file with the toolchain's own compiler, once: what was made of
/// the same bytes by the same toolchain for the same header is found again in the cache folder.
///
/// The file is read once and compiled from that copy, so the digest is of what runs. Other files
/// that it includes, but for the system's, belong to it: a change of one makes the library anew,
/// and another digest.
public struct PluginBuilder: Sendable {
  /// What was made of a file.
  public struct Product: Sendable {
    /// The library.
    public let library: String
    /// SHA-256 of the file, in hexadecimal; where it includes other files of its own, of the
    /// digests of all.
    public let digest: String
    /// What the compiler warned of; empty mostly. Told for a cached library too.
    public let warnings: String
    /// Whether the compiler ran.
    public let isFresh: Bool
    /// Names the library's files in the cache folder.
    let key: String
  }

  /// The largest file that is taken for a plug-in.
  public static let limit = FileLimit("a plug-in", bytes: 4 << 20)
  /// Seconds that a compiler may take.
  static let seconds = 120.0

  /// The cache folder.
  public let folder: String
  /// The program whose modules Swift is compiled against.
  let program: String
  /// What plug-ins of Swift register in; nil where the program takes none.
  let entry: SwiftEntry?
  let toolchain: Toolchain

  /// Makes libraries in `folder`, which is made for the owner alone where it is not there:
  /// `plugins` in the cache folder of the program.
  ///
  /// - Parameters:
  ///   - program: the program beside which the lab's modules lie; nil for this one.
  ///   - swift: what plug-ins of Swift register in; nil where none are taken.
  ///   - path: where compilers are looked for, by default the PATH of the environment.
  public init(
    folder: String, program: String? = nil, swift entry: SwiftEntry? = .kernels,
    path: String? = nil
  ) {
    self.folder = folder
    self.program = program ?? ProgramPath.readable
    self.entry = entry
    toolchain = path.map { Toolchain(path: $0) } ?? Toolchain()
  }

  /// The library of the plug-in at `path`, from the cache or compiled now.
  ///
  /// Throws `missingInput` where there is no file or no compiler; `usage` for a file that is
  /// neither C nor C++ nor Swift; `badData` with file, line and column where it does not compile,
  /// or where the cache folder is not safe.
  public func build(_ path: String) throws -> Product {
    let language = try Language(path)
    let source = try WholeFile.read(path, limit: Self.limit)
    let absolute = AbsolutePath.of(path)
    let folder = try PluginFolder(folder)
    let recipe = try recipe(language, source, absolute, folder)
    let parts =
      ["1", recipe.compiler.identity, absolute] + recipe.conditions + [SHA256.hex(bytes: source)]
    let key = String(SHA256.hex(parts.joined(separator: "\u{0}")).prefix(32))
    let unit = CompilationUnit(
      path: path, absolute: absolute, source: source, recipe: recipe, key: key, folder: folder)
    if let product = unit.cached() {
      folder.touch(key)
      return product
    }
    let product = try unit.compile()
    folder.sweep(keeping: key)
    return product
  }

  private func recipe(
    _ language: Language, _ source: [UInt8], _ absolute: String, _ folder: PluginFolder
  ) throws -> Recipe {
    guard language == .swift else {
      return try .c(
        source, at: absolute, isPlusPlus: language == .cPlusPlus, toolchain: toolchain)
    }
    guard let entry else {
      throw LabError(
        .usage, "this program takes no plug-ins of Swift", at: absolute,
        advice: "write the kernel in C, with trit_kernel.h")
    }
    return try .swift(
      source, at: absolute, entry: entry, program: program, folder: folder,
      toolchain: toolchain)
  }

  /// The header that plug-ins include.
  public static let header = String(cString: trit_kernel_header())

  /// What a file is written in, by the end of its name.
  enum Language {
    case c
    case cPlusPlus
    case swift

    init(_ path: String) throws {
      switch (path as NSString).pathExtension {
      case "c": self = .c
      case "cc", "cpp", "cxx": self = .cPlusPlus
      case "swift": self = .swift
      default:
        throw LabError(
          .usage, "a plug-in is a file of C or Swift", at: path,
          expected: "a name that ends in .c or .swift, or in .cpp for C++",
          advice: "rename it, or see trit_kernel.h for what such a file has in it")
      }
    }
  }
}

extension SHA256 {
  /// The digest of `bytes`.
  static func hex(bytes: [UInt8]) -> String { bytes.withUnsafeBytes { hex($0) } }
}
