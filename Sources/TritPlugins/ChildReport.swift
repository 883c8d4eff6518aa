import Foundation
import TritCore

/// What a child has told.
struct ChildReport {
  private(set) var isChild = false
  private(set) var verdict: PluginChild.Verdict?
  private(set) var signal: Int32?
  private var start: UInt = 0
  private var end: UInt = 0
  private var lastStep: String?
  private var addresses: [UInt] = []

  init(_ text: String) {
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 1)
      let rest = words.count > 1 ? words[1] : ""
      switch words.first {
      case "H": isChild = true
      case "B":
        let ends = rest.split(separator: " ").compactMap { UInt($0, radix: 16) }
        if ends.count == 2 { (start, end) = (ends[0], ends[1]) }
      case "K": lastStep = rest.split(separator: " ", maxSplits: 1).last.map(String.init)
      case "S": signal = rest.split(separator: " ").first.flatMap { Int32($0) }
      case "F": if let address = UInt(rest, radix: 16) { addresses.append(address) }
      case "V":
        verdict = try? JSONDecoder().decode(PluginChild.Verdict.self, from: Data(rest.utf8))
      default: break
      }
    }
  }

  /// Where in the library the process was, the innermost first, each place once.
  var offsets: [UInt] {
    var result: [UInt] = []
    for address in addresses where address >= start && address < end {
      // The interrupted address comes again among the frames, one less.
      if let last = result.last, last == address - start || last == address - start + 1 { continue }
      result.append(address - start)
    }
    return result
  }

  /// During what, as the end of a sentence.
  var step: String {
    switch lastStep {
    case nil: start == 0 ? " while it was loaded" : ""
    case "packing": " while it packed weights"
    case "threads": " on several threads at once"
    case "register": " while it registered its stages"
    case let step? where step.hasPrefix("laws of "): " while the \(step) were checked"
    default: " while its laws were checked"
    }
  }
}

/// Functions and lines of addresses in a library, by the toolchain's symbolizer or binutils'.
package struct Symbols {
  package struct Frame: Equatable {
    package var function: String
    package var file: String
    package var line: Int
  }

  package let toolchain: Toolchain

  /// Symbols by the tools of `toolchain`.
  package init(toolchain: Toolchain) { self.toolchain = toolchain }

  /// The frames at `offsets` in `library`, the innermost first; those that were inlined are given
  /// in place of their callers, or before them where `withInlined` says so. Empty where there is no
  /// symbolizer.
  package func frames(_ offsets: [UInt], in library: String, withInlined: Bool = false) -> [Frame] {
    let addresses = offsets.map { "0x" + String($0, radix: 16) }
    guard !addresses.isEmpty, let tool = toolchain.tool(["llvm-symbolizer", "addr2line"]) else {
      return []
    }
    let arguments =
      tool.path.hasSuffix("llvm-symbolizer")
      ? [
        "--obj=\(library)", "--output-style=GNU", "--functions",
        withInlined ? "--inlines" : "--no-inlines",
      ]
      : (withInlined ? ["-i"] : []) + ["-f", "-e", library]
    let outcome = try? Subprocess(
      program: tool.path, arguments: arguments + addresses, seconds: 10
    ).run()
    guard let outcome, outcome.code == 0 else { return [] }
    let lines = outcome.output.split(separator: "\n").map(String.init)
    let places = stride(from: 0, to: lines.count - 1, by: 2)
    let names = readable(places.map { lines[$0] })
    return zip(names, places).map { name, place in Self.frame(name, lines[place + 1]) }
  }

  /// Names of Swift's symbols as they are written, where there is a tool for that.
  private func readable(_ symbols: [String]) -> [String] {
    guard symbols.contains(where: { $0.hasPrefix("$s") }),
      let tool = toolchain.tool(["swift-demangle"]),
      let outcome = try? Subprocess(
        program: tool.path, arguments: ["--simplified", "--compact"] + symbols, seconds: 10
      ).run(), outcome.code == 0
    else { return symbols }
    let names = outcome.output.split(separator: "\n").map(String.init)
    return names.count == symbols.count ? names : symbols
  }

  private static func frame(_ function: String, _ place: String) -> Frame {
    // "file:line (discriminator 3)"; "??:0" where nothing is known.
    let text = place.split(separator: " (").first.map(String.init) ?? place
    let parts = text.split(separator: ":")
    let line = parts.last.flatMap { Int($0) } ?? 0
    return Frame(function: function, file: parts.dropLast().joined(separator: ":"), line: line)
  }
}
