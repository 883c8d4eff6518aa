import TritCore

/// Order statistics of |w| in a group. The bits of non-negative floats sort like the floats, so
/// everything works on `UInt32` bit patterns.
enum SortedMagnitudes {
  /// Calls `body` with the bit patterns of |w|, rising.
  static func withSorted<Result>(
    _ group: MatrixView<Float>, _ body: (UnsafeBufferPointer<UInt32>) -> Result
  ) -> Result {
    let count = group.rows * group.columns
    let memory = AlignedBuffer<UInt32>(count: 2 * count)
    return withExtendedLifetime(memory) {
      let base = memory.base
      copyMagnitudes(group, to: base)
      if count < 2048 {
        var keys = UnsafeMutableBufferPointer(start: base, count: count)
        keys.sort()
      } else {
        radixSort(base, scratch: base + count, count)
      }
      return body(UnsafeBufferPointer(start: base, count: count))
    }
  }

  /// The magnitude of rank ⌈n/2⌉ (torch.median's choice); 0 for an empty group.
  static func lowerMedian(of group: MatrixView<Float>) -> Float {
    let count = group.rows * group.columns
    guard count > 0 else { return 0 }
    let memory = AlignedBuffer<UInt32>(count: count)
    return withExtendedLifetime(memory) {
      copyMagnitudes(group, to: memory.base)
      return Float(bitPattern: select((count - 1) / 2, of: memory.base, count))
    }
  }

  private static func copyMagnitudes(
    _ group: MatrixView<Float>, to memory: UnsafeMutablePointer<UInt32>
  ) {
    for row in 0..<group.rows {
      let from = group.base + row * group.stride
      let to = memory + row * group.columns
      for column in 0..<group.columns { to[column] = from[column].bitPattern & 0x7FFF_FFFF }
    }
  }

  /// Least significant digit first, digits of 11, 11 and 10 bits: three passes whatever the values.
  private static func radixSort(
    _ keys: UnsafeMutablePointer<UInt32>, scratch: UnsafeMutablePointer<UInt32>, _ count: Int
  ) {
    var places = [Int](repeating: 0, count: 2048)
    var from = keys
    var to = scratch
    for shift: UInt32 in [0, 11, 22] {
      for digit in 0..<2048 { places[digit] = 0 }
      for index in 0..<count { places[Int((from[index] >> shift) & 2047)] += 1 }
      var next = 0
      for digit in 0..<2048 {
        let size = places[digit]
        places[digit] = next
        next += size
      }
      for index in 0..<count {
        let key = from[index]
        let digit = Int((key >> shift) & 2047)
        to[places[digit]] = key
        places[digit] += 1
      }
      swap(&from, &to)
    }
    // Three passes leave the result in what was the scratch.
    keys.update(from: from, count: count)
  }

  /// The key of rank `rank` (from 0, rising), by quickselect with the median of three.
  private static func select(
    _ rank: Int, of keys: UnsafeMutablePointer<UInt32>, _ count: Int
  ) -> UInt32 {
    var low = 0
    var high = count - 1
    while low < high {
      let (a, b, c) = (keys[low], keys[(low + high) / 2], keys[high])
      let pivot = max(min(a, b), min(max(a, b), c))
      var left = low
      var right = high
      while left <= right {
        while keys[left] < pivot { left += 1 }
        while pivot < keys[right] { right -= 1 }
        guard left <= right else { break }
        let kept = keys[left]
        keys[left] = keys[right]
        keys[right] = kept
        left += 1
        right -= 1
      }
      if rank <= right {
        high = right
      } else if rank >= left {
        low = left
      } else {
        return keys[rank]
      }
    }
    return keys[rank]
  }
}
