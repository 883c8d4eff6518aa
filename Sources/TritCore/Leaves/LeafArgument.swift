internal import CTritKernels

/// An argument of a leaf that runs in another process.
package enum LeafArgument {
  /// A number, or the bits of a float.
  case word(UInt64)
  /// Bytes that are read; null where there is no pointer.
  case input(UnsafeRawPointer?, bytes: Int)
  /// `rows` runs of `width` bytes, `stride` apart, that are read and written; null where there is
  /// no pointer. What lies between the runs is not touched.
  case output(UnsafeMutableRawPointer?, rows: Int, width: Int, stride: Int)

  /// A size.
  package static func count(_ value: Int) -> LeafArgument { .word(UInt64(value)) }

  /// A float.
  package static func real(_ value: Float) -> LeafArgument { .word(UInt64(value.bitPattern)) }

  /// `count` elements that are read.
  package static func input<Element>(
    _ pointer: UnsafePointer<Element>?, _ count: Int
  ) -> LeafArgument {
    .input(UnsafeRawPointer(pointer), bytes: max(count, 0) * MemoryLayout<Element>.stride)
  }

  /// Rows of `columns` elements that are read, `stride` elements apart.
  package static func input<Element>(
    _ pointer: UnsafePointer<Element>?, rows: Int, _ columns: Int, stride: Int
  ) -> LeafArgument { .input(pointer, rows == 0 ? 0 : (rows - 1) * stride + columns) }

  /// `count` elements that are read and written.
  package static func output<Element>(
    _ pointer: UnsafeMutablePointer<Element>?, _ count: Int
  ) -> LeafArgument { .output(pointer, rows: 1, count, stride: count) }

  /// Rows of `columns` elements that are read and written, `stride` elements apart.
  package static func output<Element>(
    _ pointer: UnsafeMutablePointer<Element>?, rows: Int, _ columns: Int, stride: Int
  ) -> LeafArgument {
    let size = MemoryLayout<Element>.stride
    return .output(
      UnsafeMutableRawPointer(pointer), rows: rows, width: columns * size, stride: stride * size)
  }
}

/// Where the parts of one call lie: `tk_leaf_call`, words, payload (see tk_leaf.h). Inputs come
/// first; outputs follow, with guard bytes around them, and are the reply. An input that is also an
/// output has one place, so that leaves meet their in-place case.
struct LeafFrame {
  let headBytes: Int
  let payloadBytes: Int
  let reply: Int
  private let leaf: tk_leaf
  /// Of each argument that is a pointer.
  private let offsets: [Int?]
  private static let alignment = 64

  init(_ leaf: tk_leaf, _ arguments: [LeafArgument]) {
    self.leaf = leaf
    headBytes = MemoryLayout<tk_leaf_call>.size + 8 * arguments.count
    var offsets = [Int?](repeating: nil, count: arguments.count)
    var end = 0
    func place(_ bytes: Int) -> Int {
      defer { end += (bytes + Self.alignment - 1) / Self.alignment * Self.alignment }
      return end
    }
    var outputs: [(pointer: UnsafeRawPointer, index: Int)] = []
    for (index, argument) in arguments.enumerated() {
      if case .output(.some(let pointer), _, _, _) = argument {
        outputs.append((UnsafeRawPointer(pointer), index))
      }
    }
    for (index, argument) in arguments.enumerated() {
      guard case .input(.some(let pointer), let bytes) = argument,
        !outputs.contains(where: { $0.pointer == pointer })
      else { continue }
      offsets[index] = place(bytes)
    }
    reply = end
    for output in outputs {
      guard case .output(_, let rows, let width, let stride) = arguments[output.index] else {
        continue
      }
      _ = place(Self.alignment)
      offsets[output.index] = place(rows == 0 ? 0 : (rows - 1) * stride + width)
    }
    if !outputs.isEmpty { _ = place(Self.alignment) }
    for (index, argument) in arguments.enumerated() where offsets[index] == nil {
      if case .input(.some(let pointer), _) = argument {
        offsets[index] = outputs.first { $0.pointer == pointer }.flatMap { offsets[$0.index] }
      }
    }
    payloadBytes = end
    self.offsets = offsets
  }

  /// Writes the head, the words and all buffers.
  func write(_ arguments: [LeafArgument], to base: UnsafeMutableRawPointer) {
    let payload = base + headBytes
    base.storeBytes(
      of: tk_leaf_call(
        leaf: leaf.rawValue, words: UInt32(arguments.count), bytes: UInt64(payloadBytes),
        reply: UInt64(reply)), as: tk_leaf_call.self)
    for (index, argument) in arguments.enumerated() {
      var word = offsets[index].map { UInt64($0) } ?? .max
      if case .word(let value) = argument { word = value }
      base.storeBytes(
        of: word, toByteOffset: MemoryLayout<tk_leaf_call>.size + 8 * index, as: UInt64.self)
      guard let offset = offsets[index] else { continue }
      switch argument {
      case .input(let pointer, let bytes):
        if let pointer { (payload + offset).copyMemory(from: pointer, byteCount: bytes) }
      case .output(let pointer, let rows, let width, let stride):
        guard let pointer else { continue }
        for row in 0..<rows {
          (payload + offset + row * stride)
            .copyMemory(from: pointer + row * stride, byteCount: width)
        }
      case .word: continue
      }
    }
  }

  /// Copies all outputs to where they belong and puts guard bytes in their place.
  func takeOutputs(
    _ arguments: [LeafArgument], from payload: UnsafeMutableRawPointer, leaving guardByte: UInt8
  ) {
    for (index, argument) in arguments.enumerated() {
      guard case .output(.some(let pointer), let rows, let width, let stride) = argument,
        let offset = offsets[index]
      else { continue }
      for row in 0..<rows {
        let run = payload + offset + row * stride
        (pointer + row * stride).copyMemory(from: run, byteCount: width)
        run.initializeMemory(as: UInt8.self, repeating: guardByte, count: width)
      }
    }
  }
}
