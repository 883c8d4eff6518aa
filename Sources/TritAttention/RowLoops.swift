/// The two inner loops of attention over rows of one head: scores (dot products with keys) and the
/// weighted sum of values.
///
/// Each result is summed in an order that depends only on the head dimension, never on how many rows
/// are done at once: that is what makes attention independent of chunking.
enum RowLoops {
  typealias Lanes = SIMD16<Float>

  /// `output[p] = scale · query·keys[p]` for `count` rows of `d` elements, `stride` apart.
  static func scores(
    _ query: UnsafePointer<Float>, keys: UnsafePointer<Float>, stride: Int, count: Int, d: Int,
    scale: Float, into output: UnsafeMutablePointer<Float>
  ) {
    let whole = d & ~15
    var position = 0
    while position + 2 <= count {
      let first = keys + position * stride
      let second = first + stride
      var a = Lanes.zero
      var b = Lanes.zero
      var index = 0
      while index < whole {
        let q = load(query + index)
        a += q * load(first + index)
        b += q * load(second + index)
        index += 16
      }
      output[position] = scale * finish(a, query, first, from: whole, to: d)
      output[position + 1] = scale * finish(b, query, second, from: whole, to: d)
      position += 2
    }
    if position < count {
      let row = keys + position * stride
      var a = Lanes.zero
      var index = 0
      while index < whole {
        a += load(query + index) * load(row + index)
        index += 16
      }
      output[position] = scale * finish(a, query, row, from: whole, to: d)
    }
  }

  /// `output[i] = decay · output[i] + Σ_p weights[p] · values[p][i]`, positions in order.
  static func accumulate(
    _ weights: UnsafePointer<Float>, values: UnsafePointer<Float>, stride: Int, count: Int, d: Int,
    decay: Float, into output: UnsafeMutablePointer<Float>
  ) {
    let whole = d & ~15
    var index = 0
    while index < whole {
      var sum = load(output + index) * decay
      var row = values + index
      for position in 0..<count {
        sum += load(row) * weights[position]
        row += stride
      }
      UnsafeMutableRawPointer(output + index).storeBytes(of: sum, as: Lanes.self)
      index += 16
    }
    while index < d {
      var sum = output[index] * decay
      for position in 0..<count { sum += weights[position] * values[position * stride + index] }
      output[index] = sum
      index += 1
    }
  }

  @inline(__always) private static func load(_ pointer: UnsafePointer<Float>) -> Lanes {
    UnsafeRawPointer(pointer).loadUnaligned(as: Lanes.self)
  }

  @inline(__always) private static func load(_ pointer: UnsafeMutablePointer<Float>) -> Lanes {
    UnsafeRawPointer(pointer).loadUnaligned(as: Lanes.self)
  }

  /// Adds the lanes pairwise, then the tail of the row that fills no vector.
  @inline(__always) private static func finish(
    _ lanes: Lanes, _ query: UnsafePointer<Float>, _ row: UnsafePointer<Float>, from: Int, to: Int
  ) -> Float {
    let eight = lanes.lowHalf + lanes.highHalf
    let four = eight.lowHalf + eight.highHalf
    let two = four.lowHalf + four.highHalf
    var sum = two[0] + two[1]
    var index = from
    while index < to {
      sum += query[index] * row[index]
      index += 1
    }
    return sum
  }
}
