import TritCore

/// What the numbers of tensor types in one GGUF file mean.
///
/// Forks of llama.cpp gave one number to different layouts, so that a number alone says nothing;
/// how many bytes its tensors take does. A tensor's extent is the distance to the next tensor,
/// padding included; a layout is meant where it fits every tensor of the number. Where two layouts
/// have blocks of one size, the scales decide, looked at under either reading. Neither file type,
/// file name nor model name does.
///
/// Sources: ggml-org/llama.cpp `ggml.h` and `ggml-common.h`, PrismML-Eng/llama.cpp,
/// ikawrakow/ik_llama.cpp `ggml.h`, microsoft/BitNet (2026).
struct TensorTypeMeanings {
  /// A layout that some program writes under a number.
  struct Layout: Equatable {
    let name: String
    /// Who writes it.
    let source: String
    let elements: Int
    let bytes: Int
    /// The type as which the lab reads it; nil where it does not.
    var type: TensorType?
  }

  private let descriptions: [GGUFHeader.Description]
  private let extents: [Int]
  private let alignment: Int
  private let isBitNet: Bool
  /// The tensors' bytes, padding included, as many as are there.
  private let data: UnsafeRawBufferPointer
  private var meanings: [UInt32: TensorType] = [:]

  /// `data`: everything from the first tensor's place to the end of the file.
  init(
    _ descriptions: [GGUFHeader.Description], alignment: Int, data: UnsafeRawBufferPointer,
    architecture: String
  ) {
    self.descriptions = descriptions
    self.alignment = alignment
    self.data = data
    isBitNet = architecture.hasPrefix("bitnet")
    // Only asked for where a number has several meanings: most files have none such.
    let ids = Set(descriptions.map(\.id)).filter { Self.layouts[$0] != nil }
    guard !ids.isEmpty else {
      extents = []
      return
    }
    var extents = [Int](repeating: 0, count: descriptions.count)
    var end = UInt64(data.count)
    for index in descriptions.indices.sorted(by: {
      (descriptions[$0].offset, $0) > (descriptions[$1].offset, $1)
    }) {
      let offset = descriptions[index].offset
      extents[index] = offset < end ? Int(end - offset) : 0
      end = min(end, offset)
    }
    self.extents = extents
    for id in ids { meanings[id] = meaning(of: id) }
  }

  /// Layouts by number, TL2 under 42 left out: its size is that of a whole tensor.
  static let layouts: [UInt32: [Layout]] = [
    40: [
      Layout(name: "NVFP4", source: "llama.cpp", elements: 64, bytes: 36),
      Layout(name: "Q2_0C", source: "Tencent's fork", elements: 512, bytes: 130),
    ],
    41: [
      Layout(name: "Q1_0", source: "llama.cpp", elements: 128, bytes: 18, type: .q1_0)
    ],
    42: [
      Layout(
        name: "Q2_0 in groups of 64", source: "llama.cpp", elements: 64, bytes: 18, type: .q2_0),
      Layout(
        name: "Q2_0 in groups of 128", source: "PrismML's fork up to version 5", elements: 128,
        bytes: 34, type: .pq2_0),
      scaleLast,
      Layout(name: "STQ1_0", source: "early builds of Tencent's fork", elements: 256, bytes: 42),
    ],
    43: [
      Layout(name: "STQ1_0", source: "Tencent's fork", elements: 256, bytes: 42)
    ],
    142: [
      Layout(name: "PQ2_0", source: "PrismML's fork", elements: 128, bytes: 34, type: .pq2_0),
      Layout(name: "IQ2_TN", source: "ik_llama.cpp until October 2024", elements: 256, bytes: 66),
    ],
    143: [
      Layout(name: "PTQ1_0", source: "PrismML's fork", elements: 128, bytes: 28, type: .ptq1_0),
      Layout(name: "IQ1_TN", source: "ik_llama.cpp until October 2024", elements: 256, bytes: 54),
    ],
  ]

  /// The rival of Q2_0 in groups of 128: as large, with the codes before the scale.
  private static let scaleLast = Layout(
    name: "TQ2_0_g128", source: "OxiBonsai", elements: 128, bytes: 34)

  /// Numbers of ik_llama.cpp, whose ternary types stand apart from llama.cpp's.
  private static let forked: [UInt32: String] = [
    134: "IQ1_BN of ik_llama.cpp", 135: "IQ2_BN of ik_llama.cpp",
  ]

  /// The type of the tensors of number `id`; nil where the lab does not read what it means here.
  func type(_ id: UInt32) -> TensorType? {
    Self.layouts[id] == nil ? TensorType(ggufID: id) : meanings[id]
  }

  /// 42 is TL2 in bitnet.cpp since 2026. It is meant where nothing else fits; where nothing fits at
  /// all, a file of a BitNet architecture is one of bitnet.cpp with a fault that the reader of TL2
  /// names.
  private func meaning(of id: UInt32) -> TensorType? {
    let found = fitting(id)
    if id == 42 {
      let fits = fitsAll(id) { try? TensorType.tl2.byteCount(shape: $0) }
      if found.isEmpty ? fits || isBitNet : fits && isBitNet { return .tl2 }
    }
    return found.count == 1 ? found[0].type : nil
  }

  /// The layouts of number `id` that fit the extents of all its tensors, and their scales where
  /// extents leave two.
  func fitting(_ id: UInt32) -> [Layout] {
    let found = (Self.layouts[id] ?? []).filter { layout in
      fitsAll(id) { shape in
        guard let columns = shape.last, columns.isMultiple(of: layout.elements),
          let count = Self.product(shape)
        else { return nil }
        let (bytes, overflow) = (count / layout.elements)
          .multipliedReportingOverflow(by: layout.bytes)
        return overflow ? nil : bytes
      }
    }
    guard found.contains(Self.scaleLast) else { return found }
    let first = areScales(id, at: 0), last = areScales(id, at: 32)
    return found.filter { layout in
      guard layout.bytes == Self.scaleLast.bytes else { return true }
      // Where both readings pass or both fail, nothing is known: both stay, and are refused.
      return first == last || (layout == Self.scaleLast ? last : first)
    }
  }

  /// Whether the float16 at byte `offset` of the blocks of 34 bytes of number `id` look like
  /// scales: finite, not negative, within a factor of 2^12 of each other but for zeros, and code 3
  /// all but absent in the other 32 bytes. Up to 256 blocks of each tensor are looked at.
  private func areScales(_ id: UInt32, at offset: Int) -> Bool {
    var (least, greatest) = (Float.infinity, Float(0))
    var (threes, codes) = (0, 0)
    for (index, description) in descriptions.enumerated() where description.id == id {
      guard description.offset <= UInt64(data.count) else { return false }
      let start = Int(description.offset)
      let blocks = min(extents[index], data.count - start) / 34
      for step in stride(from: 0, to: blocks, by: max(1, blocks / 256)) {
        let block = start + 34 * step
        let scale = FloatDecoding.float16(
          UInt16(
            littleEndian: data.loadUnaligned(fromByteOffset: block + offset, as: UInt16.self)))
        guard scale.isFinite, scale >= 0 else { return false }
        if scale > 0 { (least, greatest) = (min(least, scale), max(greatest, scale)) }
        for byte in block + (offset == 0 ? 2 : 0)..<block + (offset == 0 ? 34 : 32) {
          threes += (data[byte] & data[byte] >> 1 & 0x55).nonzeroBitCount
          codes += 4
        }
      }
    }
    return (greatest == 0 || greatest / least <= 4096) && threes * 50 <= codes
  }

  private func fitsAll(_ id: UInt32, _ size: ([Int]) -> Int?) -> Bool {
    descriptions.indices.allSatisfy { index in
      guard descriptions[index].id == id else { return true }
      guard let bytes = size(descriptions[index].shape), bytes <= extents[index] else {
        return false
      }
      return extents[index] - bytes < alignment
    }
  }

  private static func product(_ shape: [Int]) -> Int? {
    var total = 1
    for size in shape {
      let (product, overflow) = total.multipliedReportingOverflow(by: size)
      guard size >= 0, !overflow else { return nil }
      total = product
    }
    return total
  }

  /// The error for a tensor of number `id`, which the lab does not read in this file.
  func unreadable(_ name: String, _ id: UInt32, path: String) -> LabError {
    let readable = TensorType.all.filter { $0.ggufID != nil }.map(\.name).joined(separator: ", ")
    func error(_ type: String, got: String, advice: String) -> LabError {
      LabError(
        .badData, "tensor '\(name)' has type \(type), which TritLab does not read", at: path,
        expected: readable, got: got, advice: advice)
    }
    let other =
      "take the model's safetensors or another GGUF of it: F16, BF16, Q8_0 or, for ternary models, Q2_0, "
      + "TQ2_0, TQ1_0 or I2_S"
    if Self.layouts[id] != nil {
      let found = fitting(id)
      let meanings = found.map { "\($0.name) (\($0.source))" }.joined(separator: " or ")
      let index = descriptions.firstIndex { $0.name == name && $0.id == id }
      let size = index.map { "\(extents[$0]) bytes for \(descriptions[$0].shape)" } ?? ""
      let known =
        (Self.layouts[id] ?? []).map { "\($0.name) (\($0.source))" }
        + (id == 42 ? ["TL2 (bitnet.cpp)"] : [])
      if found.isEmpty {
        return error(
          "number \(id)", got: "number \(id), \(size): none of \(known.joined(separator: ", "))",
          advice: "the file is damaged or of a fork that is not known; " + other)
      }
      return error(
        found.count == 1 ? "\(found[0].name) (number \(id))" : "number \(id)",
        got:
          "\(meanings), by \(found.contains(Self.scaleLast) ? "size and scales" : "its size"): \(size)",
        advice: found.count == 1 ? other : "sizes and scales do not tell which is meant; " + other)
    }
    if let forked = Self.forked[id] { return error(forked, got: "number \(id)", advice: other) }
    if let type = TensorType.ggmlName(id) { return error(type, got: type, advice: other) }
    return error(
      "number \(id)", got: "number \(id)",
      advice: "that number is of no llama.cpp known here: a fork's, or the file is damaged; "
        + other)
  }
}
