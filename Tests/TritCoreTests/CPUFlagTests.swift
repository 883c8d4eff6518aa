import Foundation
import Testing
import TritCore

/// What is asked about the CPU is what leaves are compiled for.
@Suite struct CPUFlagTests {
  static let all = CPUFlags(CPUFlags.names.map(\.flag))

  private func without(_ names: String) throws -> CPUFeatures {
    CPUFeatures(flags: Self.all.subtracting(try CPUFlags(names: names)))
  }

  /// Sets that a compiler takes along with another: LLVM's X86.td says that AVX-512 implies AVX2,
  /// FMA and F16C; clang takes popcnt with SSE4.2, which AVX implies.
  static let implied: [String: [String]] = [
    "avx2": ["avx", "popcnt", "ymm"], "avx": ["popcnt", "ymm"], "fma": ["avx"], "f16c": ["avx"],
    "avxvnni": ["avx2"], "avx512f": ["avx2", "fma", "f16c", "zmm"], "avx512bw": ["avx512f"],
    "avx512dq": ["avx512f"], "avx512vl": ["avx512f"], "avx512vnni": ["avx512f"],
    "avx512vbmi": ["avx512f", "avx512bw"], "avx512bf16": ["avx512f", "avx512bw"],
  ]

  static func closure(_ names: Set<String>) -> Set<String> {
    var result = names
    while true {
      let more = result.union(result.flatMap { implied[$0] ?? [] })
      if more == result { return result }
      result = more
    }
  }

  #if arch(x86_64)
    @Test func aGroupNeedsEachOfItsSets() throws {
      let every: CPUFeatures = [.avx2, .avxVNNI, .avx512, .avx512VNNI, .avx512VBMI, .avx512BF16]
      #expect(CPUFeatures(flags: Self.all) == every)
      #expect(CPUFeatures(flags: []) == [])
      // AVX2 without F16C, or without FMA: neither AVX2's leaves nor those of AVX-512.
      for name in ["f16c", "fma", "popcnt", "avx", "avx2", "ymm"] {
        #expect(try without(name) == [], "\(name)")
      }
      for name in ["avx512f", "avx512bw", "avx512dq", "avx512vl", "zmm"] {
        #expect(try without(name) == [.avx2, .avxVNNI], "\(name)")
      }
      #expect(try without("avxvnni") == every.subtracting(.avxVNNI))
      #expect(try without("avx512vnni") == every.subtracting(.avx512VNNI))
      #expect(try without("avx512vbmi, avx512bf16") == [.avx2, .avxVNNI, .avx512, .avx512VNNI])
    }

    /// Every leaf is compiled for some instruction sets, by an attribute in its source; its name
    /// says behind which group it stands. All of the sets, and those that they imply, must be among
    /// what the group asks about.
    @Test func everyLeafNeedsNoMoreThanIsAskedAbout() throws {
      let sources = try Self.sources()
      var checked = 0
      for (file, text) in sources {
        for match in text.matches(of: /target\("([a-z0-9,]+)"\)/) {
          let sets = Self.closure(Set(match.output.1.split(separator: ",").map(String.init)))
          if sets.contains("dotprod") { continue }
          let group = try Self.group(file, text, at: match.range.lowerBound)
          let asked = Set(
            CPUFlags.names.filter { group.flags.contains($0.flag) }.map(\.name))
          #expect(sets.subtracting(asked) == [], "\(file): \(match.output.1) behind \(group.names)")
          checked += 1
        }
      }
      #expect(checked >= 25, "the sources were not read")
    }

    /// The tables of leaves in the headers pick by the same groups as the names say.
    @Test func theTablesPickByTheirNames() throws {
      var picked = 0
      for (file, text) in try Self.sources() where file.hasSuffix(".h") {
        for match in text.matches(
          of: /if \(features & \(1u << ([0-9]+)\)\) return &tk_[a-z_]+_(avx[a-z0-9]+);/)
        {
          let bit = CPUFeatures(rawValue: 1 << (UInt32(match.output.1) ?? 31))
          #expect(bit == Self.groups[String(match.output.2)], "\(file): \(match.output.0)")
          picked += 1
        }
      }
      #expect(picked >= 6)
    }
  #endif

  @Test func aMaskNamesWhatThereIs() throws {
    #expect(try CPUFlags(names: "") == [])
    #expect(try CPUFlags(names: " f16c , zmm,").rawValue.nonzeroBitCount == 2)
    #expect(throws: LabError.self) { try CPUFlags(names: "f16c,avx1024") }
    #expect(Set(CPUFlags.names.map(\.name)).count == CPUFlags.names.count)
  }

  static let groups: [String: CPUFeatures] = [
    "avx2": .avx2, "avxvnni": [.avx2, .avxVNNI], "avx512": .avx512,
    "avx512vnni": [.avx512, .avx512VNNI],
    // The leaves of base 3 and of the lossy TL1 add by vpdpbusd.
    "avx512vbmi": [.avx512, .avx512VNNI, .avx512VBMI],
  ]

  /// The group behind which a leaf stands: that of the file's name, or in files of several leaves
  /// (peak_…) the one that the function's name has digits of.
  private static func group(_ file: String, _ text: String, at place: String.Index) throws
    -> CPUFeatures
  {
    // Of lookup leaves only the lossy one adds by vpdpbusd.
    if file == "lookup_avx512vbmi.c" { return [.avx512, .avx512VBMI] }
    if file == "peak_float.c" || file == "peak_read.c" {
      return text[place...].prefix(120).contains("512(") ? .avx512 : .avx2
    }
    if file == "peak_int8.c" {
      let head = text[place...].prefix(160)
      return head.contains("vnni512(")
        ? [.avx512, .avx512VNNI] : head.contains("vnni256(") ? [.avx2, .avxVNNI] : .avx2
    }
    let set = file.split(separator: ".")[0].split(separator: "_").last.map(String.init) ?? ""
    return try #require(groups[set], "\(file) names no instruction set")
  }

  private static func sources() throws -> [(String, String)] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Sources/CTritKernels").path
    return try ["", "/include"].flatMap { part in
      try FileManager.default.contentsOfDirectory(atPath: folder + part).sorted()
        .filter { $0 != "cpu.c" && ($0.hasSuffix(".c") || $0.hasSuffix(".h")) }
        .map { ($0, try String(contentsOfFile: "\(folder)\(part)/\($0)", encoding: .utf8)) }
    }
  }
}
