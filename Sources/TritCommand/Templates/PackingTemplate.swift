import TritLab

/// A packing is used by what reads its bytes: the file holds a kernel too, whose bare name is the
/// packing's.
extension StageTemplate {
  static let packing = StageTemplate(
    key: .packing, language: .swift,
    source: { name in
      """
      // \(name.text): a packing for TritLab, and the kernel that runs on its bytes. A packing alone
      // is a form of bytes: what chooses it is a kernel, by --kernel \(name.text).
      //
      //     trit kernel check \(name.text) --plugin \(name.file)
      //     trit run \(name.experiment) --plugin \(name.file)
      import TritLab

      /// Two bits a trit (trit + 1), four in a byte from the low bits up; a row begins at a byte.
      struct \(name.type): Packing {
        let name = "\(name.text)"

        static func rowBytes(_ columns: Int) -> Int { columns / 4 + (columns % 4 > 0 ? 1 : 0) }

        static func code(_ row: UnsafePointer<UInt8>, _ column: Int) -> UInt8 {
          row[column / 4] >> UInt8(column % 4 * 2) & 3
        }

        func check(rows: Int, columns: Int, granularity: ScaleGranularity) throws {
          try checkShape(rows: rows, columns: columns)
        }

        func byteCount(rows: Int, columns: Int) -> Int {
          let (count, overflows) = rows.multipliedReportingOverflow(by: Self.rowBytes(columns))
          return overflows ? .max : count
        }

        func pack(_ weights: QuantizedWeights) throws -> PackedMatrix {
          let matrix = try ternary(weights)
          let width = Self.rowBytes(matrix.columns)
          let bytes = AlignedBuffer<UInt8>(count: matrix.rows * width)
          for row in 0..<matrix.rows {
            for column in 0..<matrix.columns {
              let code = UInt8(matrix.view[row, column] + 1)
              bytes.base[row * width + column / 4] |= code << UInt8(column % 4 * 2)
            }
          }
          return PackedMatrix(
            packing: name, rows: matrix.rows, columns: matrix.columns, bytes: bytes,
            scales: matrix.scales, granularity: matrix.granularity)
        }

        func unpack(_ packed: PackedMatrix) throws -> QuantizedWeights {
          try checkOwn(packed)
          let trits = AlignedBuffer<Int8>(count: packed.rows * packed.columns)
          for row in 0..<packed.rows {
            for column in 0..<packed.columns {
              let code = Self.code(packed.bytes.base + row * Self.rowBytes(packed.columns), column)
              guard code < 3 else { throw illegalCode("the code 3", row: row, column: column) }
              trits.base[row * packed.columns + column] = Int8(code) - 1
            }
          }
          return .ternary(
            TernaryMatrix(
              rows: packed.rows, columns: packed.columns, trits: trits, scales: packed.scales,
              granularity: packed.granularity))
        }

        func read(
          _ bytes: UnsafeRawBufferPointer, rows: Int, columns: Int, scales: [Float]?
        ) throws -> PackedMatrix {
          let granularity = try granularity(of: scales, rows: rows, columns: columns)
          try check(rows: rows, columns: columns, granularity: granularity)
          try checkLength(bytes.count, rows: rows, columns: columns)
          let packed = PackedMatrix(
            packing: name, rows: rows, columns: columns, bytes: AlignedBuffer(copying: bytes),
            scales: scales ?? [1], granularity: granularity)
          _ = try unpack(packed)
          return packed
        }
      }

      /// Multiplies from the packed bytes: lossless, slow.
      struct \(name.type)Kernel: LinearKernel {
        let name = "\(name.text)/plain"
        let accepts = ActivationForm.int8

        func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
          let matrix = try ternaryWeights(weights)
          return Layer(kernel: name, scales: try rowScales(matrix), packed: try \(name.type)().pack(weights))
        }

        struct Layer: PreparedLinear {
          let kernel: String
          let scales: [Float]
          let packed: PackedMatrix
          let accepts = ActivationForm.int8
          let rowAlignment = 1
          let inputLayout: (any InputLayout)? = nil
          var rows: Int { packed.rows }
          var columns: Int { packed.columns }
          var memory: [any RawMemory] { [packed.bytes] }
          var weightBytes: Int { packed.bytes.count + 4 * scales.count }

          func sum(_ row: Int, _ x: UnsafePointer<Int8>) -> Int32 {
            let bytes = packed.bytes.base + row * \(name.type).rowBytes(columns)
            var sum: Int32 = 0
            for column in 0..<columns {
              sum &+= (Int32(\(name.type).code(bytes, column)) &- 1) &* Int32(x[column])
            }
            return sum
          }

          func multiply(_ x: QuantizedRows, rows range: Range<Int>, into y: MutableMatrixView<Float>) {
            for token in 0..<x.rows {
              for row in range {
                y[token, row] = Float(sum(row, x.row(token))) * (x.scales[token] * scales[row])
              }
            }
          }

          func accumulate(
            _ x: QuantizedRows, rows range: Range<Int>, into sums: MutableMatrixView<Int32>
          ) -> Bool {
            for token in 0..<x.rows {
              for row in range { sums[token, row] = sum(row, x.row(token)) }
            }
            return true
          }
        }
      }

      func register(_ lab: inout Lab) throws {
        let packing = StageDescriptor(
          "\(name.text)", summary: "two bits a trit, in order", source: "\(name.file)",
          accepts: "ternary weights",
          gives: "bytes")
        try lab.add(.packing, packing) { _ in \(name.type)() }
        let kernel = StageDescriptor(
          "\(name.text)/plain", summary: "\(name.text) by plain loops", source: "\(name.file)",
          accepts: "ternary weights (scale per tensor or row), int8 activations", gives: "int32 sums",
          kernel: KernelFacts(packing: "\(name.text)"))
        try lab.add(.kernel, kernel) { _ in \(name.type)Kernel() }
      }

      """
    },
    experiment: { name in
      """
      sweep:
        kernel: [i2_s, base3, "\(name.text)"]
      measure:
        perplexity: {data: builtin:storyteller/test:20, context: 128}
        weights: {}
        speed: {prompt: 128, tokens: 64, repetitions: 5}

      """
    },
    question: {
      "\($0.text) beside packings of the lab: same perplexity, other bytes, other speed."
    })
}
