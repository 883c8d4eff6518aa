import TritCore

/// What the numbers of tensor types in one GGUF file mean.
///
/// Forks of llama.cpp gave one number to different layouts, so that a number alone says nothing;
/// how many bytes its tensors take does. A tensor's extent is the distance to the next tensor,
/// padding included; a layout is meant where it fits every tensor of the number. Neither file type,
/// file name nor model name decides.
///
/// Sources: ggml-org/llama.cpp `ggml.h` and `ggml-common.h`, PrismML-Eng/llama.cpp,
/// ikawrakow/ik_llama.cpp `ggml.h`, microsoft/BitNet (2026).
struct TensorTypeMeanings {
  /// A layout that some program writes under a number.
  struct Layout {
    let name: String
    /// Who writes it.
    let source: String
    let elements: Int
    let bytes: Int
  }

  private let descriptions: [GGUFHeader.Description]
  private let extents: [Int]
  private let alignment: Int
  private let isBitNet: Bool

  /// `dataCount`: bytes from the first tensor's place to the end of the file.
  init(
    _ descriptions: [GGUFHeader.Description], alignment: Int, dataCount: Int, architecture: String
  ) {
    self.descriptions = descriptions
    self.alignment = alignment
    isBitNet = architecture.hasPrefix("bitnet")
    // Only asked for where a number has several meanings: most files have none such.
    guard descriptions.contains(where: { Self.layouts[$0.id] != nil }) else {
      extents = []
      return
    }
    var extents = [Int](repeating: 0, count: descriptions.count)
    var end = UInt64(dataCount)
    for index in descriptions.indices.sorted(by: {
      (descriptions[$0].offset, $0) > (descriptions[$1].offset, $1)
    }) {
      let offset = descriptions[index].offset
      extents[index] = offset < end ? Int(end - offset) : 0
      end = min(end, offset)
    }
    self.extents = extents
  }

  /// Layouts by number, those that the lab reads (42 as TL2) left out.
  static let layouts: [UInt32: [Layout]] = [
    40: [
      Layout(name: "NVFP4", source: "llama.cpp", elements: 64, bytes: 36),
      Layout(name: "Q2_0C", source: "Tencent's fork", elements: 512, bytes: 130),
    ],
    41: [
      Layout(name: "Q1_0", source: "llama.cpp", elements: 128, bytes: 18)
    ],
    42: [
      Layout(name: "Q2_0 in groups of 64", source: "llama.cpp", elements: 64, bytes: 18),
      Layout(
        name: "Q2_0 in groups of 128", source: "PrismML's fork up to version 5", elements: 128,
        bytes: 34),
      Layout(name: "STQ1_0", source: "early builds of Tencent's fork", elements: 256, bytes: 42),
    ],
    43: [
      Layout(name: "STQ1_0", source: "Tencent's fork", elements: 256, bytes: 42)
    ],
    142: [
      Layout(name: "PQ2_0", source: "PrismML's fork", elements: 128, bytes: 34),
      Layout(name: "IQ2_TN", source: "ik_llama.cpp until October 2024", elements: 256, bytes: 66),
    ],
    143: [
      Layout(name: "PTQ1_0", source: "PrismML's fork", elements: 128, bytes: 28),
      Layout(name: "IQ1_TN", source: "ik_llama.cpp until October 2024", elements: 256, bytes: 54),
    ],
  ]

  /// Numbers of ik_llama.cpp, whose ternary types stand apart from llama.cpp's.
  private static let forked: [UInt32: String] = [
    134: "IQ1_BN of ik_llama.cpp", 135: "IQ2_BN of ik_llama.cpp",
  ]

  /// Whether tensors of number `id` have the layout that the lab reads under it. True for numbers
  /// with one meaning.
  ///
  /// 42 is TL2 in bitnet.cpp since 2026, whose size is that of a whole tensor. It is meant where
  /// nothing else fits; where nothing fits at all, a file of a BitNet architecture is one of
  /// bitnet.cpp with a fault that the reader of TL2 names.
  func isRead(_ id: UInt32) -> Bool {
    guard id == 42 else { return true }
    let fits = fitsAll(id) { try? TensorType.tl2.byteCount(shape: $0) }
    return fitting(id).isEmpty ? fits || isBitNet : fits && isBitNet
  }

  /// The layouts of number `id` that fit the extents of all its tensors.
  func fitting(_ id: UInt32) -> [Layout] {
    (Self.layouts[id] ?? []).filter { layout in
      fitsAll(id) { shape in
        guard let columns = shape.last, columns.isMultiple(of: layout.elements),
          let count = Self.product(shape)
        else { return nil }
        let (bytes, overflow) = (count / layout.elements)
          .multipliedReportingOverflow(by: layout.bytes)
        return overflow ? nil : bytes
      }
    }
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
      "take the model's safetensors or another GGUF of it: F16, BF16, Q8_0 or, for ternary models, TQ2_0, "
      + "TQ1_0 or I2_S"
    if Self.layouts[id] != nil {
      let found = fitting(id)
      let meanings = found.map { "\($0.name) (\($0.source))" }.joined(separator: " or ")
      let index = descriptions.firstIndex { $0.name == name && $0.id == id }
      let size = index.map { "\(extents[$0]) bytes for \(descriptions[$0].shape)" } ?? ""
      let known =
        (Self.layouts[id] ?? []).map { "\($0.name) (\($0.source))" }
        + (id == 42 ? ["TL2 (bitnet.cpp)"] : [])
      return found.isEmpty
        ? error(
          "number \(id)", got: "number \(id), \(size): none of \(known.joined(separator: ", "))",
          advice: "the file is damaged or of a fork that is not known; " + other)
        : error(
          found.count == 1 ? "\(found[0].name) (number \(id))" : "number \(id)",
          got: "\(meanings), by its size: \(size)", advice: other)
    }
    if let forked = Self.forked[id] { return error(forked, got: "number \(id)", advice: other) }
    if let type = TensorType.ggmlName(id) { return error(type, got: type, advice: other) }
    return error(
      "number \(id)", got: "number \(id)",
      advice: "that number is of no llama.cpp known here: a fork's, or the file is damaged; "
        + other)
  }
}
