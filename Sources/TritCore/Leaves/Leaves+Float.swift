package import CTritKernels

/// The leaves of the CPU that this process computes on: its own, or a leaf runner's.
package enum Leaves {
  /// The float leaves.
  package static let float: tk_float_ops =
    LeafRunner.shared == nil ? tk_float_for(CPUFeatures.here.rawValue).pointee : remoteFloat

  /// Calls `leaf` on the runner; there is one, since these tables are for runners alone.
  @discardableResult
  package static func remotely(_ leaf: tk_leaf, _ arguments: [LeafArgument]) -> UInt64 {
    guard let runner = LeafRunner.shared else { preconditionFailure("no leaf runner") }
    return runner.call(leaf, arguments)
  }

  private static func real(_ leaf: tk_leaf, _ arguments: [LeafArgument]) -> Float {
    Float(bitPattern: UInt32(truncatingIfNeeded: remotely(leaf, arguments)))
  }

  private static func double(_ leaf: tk_leaf, _ arguments: [LeafArgument]) -> Double {
    Double(bitPattern: remotely(leaf, arguments))
  }

  /// Blocks of 128 columns.
  private static func blocks(_ columns: Int) -> Int { (columns + 127) / 128 }

  /// The members of `tk_float_ops`, each a call of the leaf runner. One that has no number in
  /// tk_leaf.h stays this machine's plain leaf.
  private static let remoteFloat: tk_float_ops = {
    var table = tk_float_scalar
    table.sum_of_squares = { x, n in
      Leaves.double(TK_LEAF_SUM_OF_SQUARES, [.input(x, n), .count(n)])
    }
    table.scale_weighted = { x, scale, weight, out, n in
      Leaves.remotely(
        TK_LEAF_SCALE_WEIGHTED,
        [.input(x, n), .real(scale), .input(weight, n), .output(out, n), .count(n)])
    }
    table.absmax = { x, n in Leaves.real(TK_LEAF_ABSMAX, [.input(x, n), .count(n)]) }
    table.maximum = { x, n in Leaves.real(TK_LEAF_MAXIMUM, [.input(x, n), .count(n)]) }
    table.quantize_int8 = { x, multiplier, limit, q, n in
      Int32(
        truncatingIfNeeded: Leaves.remotely(
          TK_LEAF_QUANTIZE_INT8,
          [
            .input(x, n), .real(multiplier), .word(UInt64(truncatingIfNeeded: limit)),
            .output(q, n), .count(n),
          ]))
    }
    table.add = { a, b, out, n in
      Leaves.remotely(TK_LEAF_ADD, [.input(a, n), .input(b, n), .output(out, n), .count(n)])
    }
    table.multiply = { a, b, out, n in
      Leaves.remotely(TK_LEAF_MULTIPLY, [.input(a, n), .input(b, n), .output(out, n), .count(n)])
    }
    table.scale = { a, factor, out, n in
      Leaves.remotely(TK_LEAF_SCALE, [.input(a, n), .real(factor), .output(out, n), .count(n)])
    }
    table.silu_multiply = { gate, up, out, n in
      Leaves.remotely(
        TK_LEAF_SILU_MULTIPLY, [.input(gate, n), .input(up, n), .output(out, n), .count(n)])
    }
    table.relu2_multiply = { gate, up, out, n in
      Leaves.remotely(
        TK_LEAF_RELU2_MULTIPLY, [.input(gate, n), .input(up, n), .output(out, n), .count(n)])
    }
    table.dot = { a, b, n in Leaves.real(TK_LEAF_DOT, [.input(a, n), .input(b, n), .count(n)]) }
    table.dot_f16 = { a, b, n in
      Leaves.real(TK_LEAF_DOT_F16, [.input(a, n), .input(b, n), .count(n)])
    }
    table.dot_i8 = { a, b, n in
      Leaves.real(TK_LEAF_DOT_I8, [.input(a, n), .input(b, n), .count(n)])
    }
    table.axpy = { alpha, x, y, n in
      Leaves.remotely(TK_LEAF_AXPY, [.real(alpha), .input(x, n), .output(y, n), .count(n)])
    }
    table.axpy_f16 = { alpha, x, y, n in
      Leaves.remotely(TK_LEAF_AXPY_F16, [.real(alpha), .input(x, n), .output(y, n), .count(n)])
    }
    table.axpy_i8 = { alpha, x, y, n in
      Leaves.remotely(TK_LEAF_AXPY_I8, [.real(alpha), .input(x, n), .output(y, n), .count(n)])
    }
    table.exp_shifted = { x, shift, out, n in
      Leaves.double(TK_LEAF_EXP_SHIFTED, [.input(x, n), .real(shift), .output(out, n), .count(n)])
    }
    table.f16_to_f32 = { x, out, n in
      Leaves.remotely(TK_LEAF_F16_TO_F32, [.input(x, n), .output(out, n), .count(n)])
    }
    table.f32_to_f16 = { x, out, n in
      Leaves.remotely(TK_LEAF_F32_TO_F16, [.input(x, n), .output(out, n), .count(n)])
    }
    table.bf16_to_f32 = { x, out, n in
      Leaves.remotely(TK_LEAF_BF16_TO_F32, [.input(x, n), .output(out, n), .count(n)])
    }
    table.f32_to_bf16 = { x, out, n in
      Leaves.remotely(TK_LEAF_F32_TO_BF16, [.input(x, n), .output(out, n), .count(n)])
    }
    table.head_f16 = { w, wStride, rows, x, xStride, tokens, n, y, yStride in
      Leaves.remotely(
        TK_LEAF_HEAD_F16,
        [
          .input(w, rows: rows, n, stride: wStride), .count(wStride), .count(rows),
          .input(x, rows: tokens, n, stride: xStride), .count(xStride), .count(tokens), .count(n),
          .output(y, rows: tokens, rows, stride: yStride), .count(yStride),
        ])
    }
    table.head_bf16 = { w, wStride, rows, x, xStride, tokens, n, y, yStride in
      Leaves.remotely(
        TK_LEAF_HEAD_BF16,
        [
          .input(w, rows: rows, n, stride: wStride), .count(wStride), .count(rows),
          .input(x, rows: tokens, n, stride: xStride), .count(xStride), .count(tokens), .count(n),
          .output(y, rows: tokens, rows, stride: yStride), .count(yStride),
        ])
    }
    table.head_i8 = { w, scales, wStride, rows, x, xStride, tokens, n, y, yStride in
      Leaves.remotely(
        TK_LEAF_HEAD_I8,
        [
          .input(w, rows: rows, n, stride: wStride), .input(scales, rows), .count(wStride),
          .count(rows), .input(x, rows: tokens, n, stride: xStride), .count(xStride),
          .count(tokens), .count(n), .output(y, rows: tokens, rows, stride: yStride),
          .count(yStride),
        ])
    }
    table.head_i4 = { w, scales, rows, x, xStride, tokens, n, y, yStride in
      Leaves.remotely(
        TK_LEAF_HEAD_I4,
        [
          .input(w, rows * Leaves.blocks(n) * 64), .input(scales, rows * Leaves.blocks(n) * 4),
          .count(rows),
          .input(x, rows: tokens, n, stride: xStride), .count(xStride), .count(tokens), .count(n),
          .output(y, rows: tokens, rows, stride: yStride), .count(yStride),
        ])
    }
    table.head_i6 = { w, scales, rows, x, xStride, tokens, n, y, yStride in
      Leaves.remotely(
        TK_LEAF_HEAD_I6,
        [
          .input(w, rows * Leaves.blocks(n) * 96), .input(scales, rows * Leaves.blocks(n) * 4),
          .count(rows),
          .input(x, rows: tokens, n, stride: xStride), .count(xStride), .count(tokens), .count(n),
          .output(y, rows: tokens, rows, stride: yStride), .count(yStride),
        ])
    }
    return table
  }()
}
