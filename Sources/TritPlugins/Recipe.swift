import Foundation
import TritCore

/// How a file of one language becomes a library.
struct Recipe {
  let compiler: Toolchain.Tool
  /// What the library depends on beside the file and the compiler.
  let conditions: [String]
  /// Files that lie in the folder of the compilation, the plug-in's own copy among them.
  let files: [(name: String, bytes: [UInt8])]
  /// Arguments, given that folder: they leave `plugin.so` there, and a rule for `make` in
  /// `plugin.d` where the language has files that are included.
  let arguments: (_ scratch: String) -> [String]
}

extension Recipe {
  /// What C and C++ are compiled with, beside folders.
  private static let flags = [
    "-O3", "-g", "-fPIC", "-shared", "-fvisibility=hidden", "-Wall", "-Wextra",
    "-Wno-missing-field-initializers", "-fdiagnostics-color=never",
  ]

  /// C or C++, by the toolchain's clang.
  static func c(
    _ source: [UInt8], at absolute: String, isPlusPlus: Bool, toolchain: Toolchain
  ) throws -> Recipe {
    let name = isPlusPlus ? "plugin.cpp" : "plugin.c"
    let dialect = isPlusPlus ? ["-std=gnu++20"] : ["-std=gnu11"]
    let line = Array("#line 1 \(quoted(absolute))\n".utf8)
    return Recipe(
      compiler: try toolchain.compiler(),
      conditions: [SHA256.hex(PluginBuilder.header)] + dialect + flags,
      files: [(name, line + source), ("include/trit_kernel.h", Array(PluginBuilder.header.utf8))],
      arguments: { scratch in
        var arguments = dialect + flags
        arguments += ["-iquote", (absolute as NSString).deletingLastPathComponent]
        arguments += ["-I", scratch + "/include"]
        arguments += ["-MMD", "-MF", scratch + "/plugin.d", "-MT", "plugin"]
        arguments += ["-o", scratch + "/plugin.so", scratch + "/" + name, "-lm"]
        #if os(Linux)
          // A function that is nowhere is an error of the compilation, with its line.
          arguments.append("-Wl,-z,defs")
        #endif
        return arguments
      })
  }

  /// Swift, by the toolchain's swiftc, against the modules of `program`.
  static func swift(
    _ source: [UInt8], at absolute: String, entry: SwiftEntry, program: String,
    folder: PluginFolder,
    toolchain: Toolchain
  ) throws -> Recipe {
    guard let compiler = toolchain.tool(["swiftc"]) else {
      throw LabError(
        .missingInput, "there is no Swift compiler to make a plug-in with", at: absolute,
        expected: "swiftc on the PATH, of the version that built this program",
        advice: "add the toolchain's usr/bin to PATH")
    }
    let modules = try SwiftModules(of: program)
    let cache = folder.file(PluginFolder.modules + SHA256.hex(compiler.identity).prefix(8))
    let line = Array("#sourceLocation(file: \(quoted(absolute)), line: 1)\n".utf8)
    // Types of two versions of a file must not be taken for one: each has a module of its own.
    let name = "Plugin_" + SHA256.hex(absolute + SHA256.hex(bytes: source)).prefix(16)
    let flags = [
      "-emit-library", "-O", "-g", "-swift-version", "5", "-diagnostic-style", "llvm",
      "-module-name", name, "-I", modules.folder, "-module-cache-path", cache,
    ]
    let entrySource = Array(SwiftPlugin.entrySource(type: entry.type).utf8)
    let maps = SwiftModules.foreign.map { ("\($0).modulemap", Array("module \($0) {}\n".utf8)) }
    return Recipe(
      compiler: compiler, conditions: [modules.identity, SHA256.hex(bytes: entrySource)] + flags,
      files: [
        ("plugin.swift", line + source),
        ("trit_plugin_entry.swift", entrySource),
      ] + maps,
      arguments: { scratch in
        flags + maps.flatMap { ["-Xcc", "-fmodule-map-file=\(scratch)/\($0.0)"] }
          + ["-o", scratch + "/plugin.so"]
          + ["plugin.swift", "trit_plugin_entry.swift"].map { scratch + "/" + $0 }
      })
  }

  /// A path as a string of C and of Swift.
  private static func quoted(_ path: String) -> String {
    let escaped = path.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
      .replacing("\n", with: "\\n")
    return "\"\(escaped)\""
  }
}

/// The modules that a program was built of.
package struct SwiftModules {
  /// Modules of C that the lab's own modules were built with. Their contents are not needed to
  /// import the lab, but their names are.
  package static let foreign = ["CTritKernels", "CTritPlugin", "CYaml"]

  package let folder: String
  /// Changes when they or the program are built again.
  package let identity: String

  /// Those beside `program`, as a build leaves them, or in `lib/trit/modules` beside its folder, as
  /// an installation does. Throws `missingInput` where there are none.
  package init(of program: String) throws {
    let home = (program as NSString).deletingLastPathComponent
    let places = [
      home + "/Modules", (home as NSString).deletingLastPathComponent + "/lib/trit/modules",
    ]
    for place in places {
      guard let stamp = FileStamp(path: place + "/TritLab.swiftmodule") else { continue }
      let built = FileStamp(path: program)
      folder = place
      identity = "\(place) \(stamp.modified) \(built?.size ?? 0) \(built?.modified ?? 0)"
      return
    }
    throw LabError(
      .missingInput, "a plug-in of Swift needs the modules that the program was built of",
      at: program, expected: "TritLab.swiftmodule in \(places.joined(separator: " or "))",
      advice: "use the program of a checkout, .build/release/trit, or write the kernel in C")
  }
}
