internal import CTritPlugin
import TritCore

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A loaded library of kernels, its list read and checked. It stays loaded as long as the process.
struct PluginLibrary {
  /// What a kernel of the list says of itself, in the lab's own types.
  struct Entry {
    let name: String
    let summary: String?
    let source: String?
    let features: CPUFeatures
    let table: KernelTable
  }

  /// The most kernels that one file may offer.
  static let mostKernels = 64

  let entries: [Entry]

  /// Loads the library at `library`, which was made of `path`. Throws `badData` where it cannot be
  /// loaded, was made for another header, or says what no kernel can be.
  ///
  /// - Parameter loaded: called before anything but the list's head has been read, with where the
  ///   library lies.
  init(_ library: String, of path: String, loaded: (UInt, UInt) -> Void = { _, _ in }) throws {
    let handle = try LoadedLibrary(library, of: path)
    guard let symbol = handle.symbol("trit_kernels") else {
      throw LabError(
        .badData, "the plug-in offers no kernel", at: path,
        expected: "trit_kernels, which the macro TRIT_KERNELS of trit_kernel.h defines",
        advice: "end the file with TRIT_KERNELS({.name = \"mine\", …})")
    }
    loaded(handle.start(of: symbol), handle.end(of: symbol))
    LoadedLibraries.note(
      LoadedLibraries.Place(
        plugin: path, library: library, start: handle.start(of: symbol),
        end: handle.end(of: symbol)))
    let list = symbol.assumingMemoryBound(to: trit_kernel_list.self)
    // The version is the first word of every version of the list.
    let version = UnsafeRawPointer(symbol).load(as: UInt32.self)
    guard version == UInt32(TRIT_KERNEL_VERSION) else {
      throw LabError(
        .badData, "the plug-in is of another version of trit_kernel.h", at: path,
        expected: "version \(TRIT_KERNEL_VERSION), which this program reads",
        got: "version \(version)",
        advice: "include the program's own header, with TRIT_KERNELS as it is there")
    }
    let head = list.pointee
    guard head.kernel_size == UInt32(MemoryLayout<trit_kernel>.size) else {
      throw LabError(
        .badData, "the plug-in's trit_kernel has another size than version \(version) gives it",
        at: path, expected: "\(MemoryLayout<trit_kernel>.size) bytes",
        got: "\(head.kernel_size) bytes",
        advice: "include the program's own header, and no copy that was changed")
    }
    guard (1...Self.mostKernels).contains(head.count), let kernels = head.kernels else {
      throw LabError(
        .badData, "a plug-in offers 1 to \(Self.mostKernels) kernels", at: path,
        got: head.kernels == nil ? "no list" : "\(head.count)",
        advice: "give each in braces: TRIT_KERNELS({.name = \"a\", …}, {.name = \"b\", …})")
    }
    entries = try (0..<head.count).map { index in
      try Entry(kernels + index, number: index + 1, of: path)
    }
    for (index, entry) in entries.enumerated()
    where entries[..<index].contains(where: { $0.name == entry.name }) {
      throw LabError(
        .badData, "two kernels of the plug-in have one name", at: path, got: entry.name,
        advice: "give each its own")
    }
  }
}

extension PluginLibrary.Entry {
  /// Bytes that a text of a kernel may have.
  private static let longest = 400

  init(_ kernel: UnsafePointer<trit_kernel>, number: Int, of path: String) throws {
    let fields = kernel.pointee
    func text(_ field: String, _ pointer: UnsafePointer<CChar>?) throws -> String? {
      guard let pointer else { return nil }
      let count = strnlen(pointer, Self.longest + 1)
      let bytes = UnsafeRawBufferPointer(start: pointer, count: count)
      guard count <= Self.longest, let text = String(validating: bytes, as: UTF8.self) else {
        throw LabError(
          .badData, "kernel \(number) of the plug-in: .\(field) is no text", at: path,
          expected: "UTF-8 of at most \(Self.longest) bytes")
      }
      return VisibleText.line(text)
    }
    let name = try text("name", fields.name) ?? ""
    let isLegal = (1...64).contains(name.utf8.count) && name.utf8.allSatisfy(Self.isOfName)
    guard isLegal else {
      throw LabError(
        .badData, "kernel \(number) of the plug-in has no name that can be chosen", at: path,
        expected: ".name: 1 to 64 letters, digits, _ - . /", got: name.isEmpty ? "none" : name,
        advice: "name it as in {.name = \"mine\", …}")
    }
    self.name = name
    summary = try text("summary", fields.summary)
    source = try text("source", fields.source)
    do {
      features = try CPUFeatures(names: try text("needs", fields.needs) ?? "")
    } catch let error as LabError {
      throw error.inside("\(path): kernel '\(name)', .needs")
    }
    table = KernelTable(kernel)
    try Self.check(fields, name: name, path: path)
  }

  private static func isOfName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"): true
    default: "_-./".utf8.contains(byte)
    }
  }

  /// That the functions make a kernel, and the multiples are such.
  private static func check(_ kernel: trit_kernel, name: String, path: String) throws {
    func refused(_ what: String, _ expected: String, _ got: String) -> LabError {
      LabError(
        .badData, "kernel '\(name)' of the plug-in \(what)", at: path, expected: expected, got: got,
        advice: "see the comments of trit_kernel in trit_kernel.h")
    }
    let three = [
      (".packed_bytes", kernel.packed_bytes != nil), (".pack", kernel.pack != nil),
      (".multiply", kernel.multiply != nil),
    ]
    let layout = [(".layout_bytes", kernel.layout_bytes != nil), (".layout", kernel.layout != nil)]
    let given = (three + layout).filter(\.1).map(\.0)
    if kernel.dot != nil {
      guard given.isEmpty, kernel.row_alignment == 0, kernel.column_multiple == 0 else {
        throw refused(
          "is given twice", ".dot alone, which needs neither packing nor alignment, or no .dot",
          ".dot and \((given + ["alignment"]).joined(separator: ", "))")
      }
      return
    }
    guard three.allSatisfy(\.1) else {
      throw refused(
        "lacks a function", ".packed_bytes, .pack and .multiply, or .dot",
        given.isEmpty ? "none of them" : "only \(given.joined(separator: ", "))")
    }
    guard layout[0].1 == layout[1].1 else {
      throw refused("has half a layout", ".layout_bytes and .layout, or neither", "one of them")
    }
    let multiples = [
      (".row_alignment", kernel.row_alignment), (".column_multiple", kernel.column_multiple),
      (".layout_tokens", kernel.layout_tokens),
    ]
    for (field, value) in multiples where !(0...65_536).contains(value) {
      throw refused("has an impossible \(field)", "0 to 65536", "\(UInt(bitPattern: value))")
    }
  }
}

/// The functions of one kernel, which lie in a library that is never unloaded.
struct KernelTable: @unchecked Sendable {
  private let kernel: UnsafePointer<trit_kernel>

  init(_ kernel: UnsafePointer<trit_kernel>) { self.kernel = kernel }

  var fields: trit_kernel { kernel.pointee }
}
