import TritLab

/// Attention, KV caches and output heads: what a model has once.
extension StageTemplate {
  static let attention = StageTemplate(
    key: .attention, language: .swift,
    source: { name in
      """
      // \(name.text): an attention for TritLab. It is the formula: scores, softmax, weighted sum of
      // values.
      //
      //     trit list attention --plugin \(name.file)
      //     trit run \(name.experiment) --plugin \(name.file)
      import TritLab

      struct \(name.type): Attention {
        let name = "\(name.text)"

        /// Floats that one thread may use: a row of scores, and the keys and values of one head.
        func scratchCount(context: AttentionContext, capacity: Int, tokens: Int) -> Int {
          capacity * (1 + 2 * context.headDimension)
        }

        func attend(
          _ queries: MatrixView<Float>, context: AttentionContext, cache: any KVCache,
          heads: Range<Int>,
          scratch: UnsafeMutablePointer<Float>, into output: MutableMatrixView<Float>,
          probe: AttentionProbe?
        ) {
          let d = context.headDimension
          let group = context.heads / cache.heads  // query heads that share one head of keys and values
          let positions = 0..<context.firstPosition + queries.rows
          let scores = scratch
          let keys = scratch + cache.capacity
          let values = keys + cache.capacity * d
          for keyHead in heads.lowerBound / group..<heads.upperBound / group {
            cache.loadKeys(layer: context.layer, head: keyHead, positions: positions, into: keys)
            cache.loadValues(layer: context.layer, head: keyHead, positions: positions, into: values)
            for head in keyHead * group..<(keyHead + 1) * group {
              for token in 0..<queries.rows {
                let query = queries.base + token * queries.stride + head * d
                // A query sees what came before, and itself.
                let count = context.firstPosition + token + 1
                for k in 0..<count {
                  scores[k] = context.scale * VectorMath.dot(query, keys + k * d, count: d)
                }
                VectorMath.softmax(scores, count: count)
                probe?(
                  context.layer, head, count - 1, 0, UnsafeBufferPointer(start: scores, count: count))
                let sum = output.base + token * output.stride + head * d
                sum.update(repeating: 0, count: d)
                for k in 0..<count { VectorMath.axpy(scores[k], values + k * d, into: sum, count: d) }
              }
            }
          }
        }
      }

      func register(_ lab: inout Lab) throws {
        let descriptor = StageDescriptor(
          "\(name.text)", summary: "the formula", source: "Vaswani et al. 2017, arXiv:1706.03762, equation 1")
        try lab.add(.attention, descriptor) { _ in \(name.type)() }
      }

      """
    },
    experiment: { name in
      """
      sweep:
        attention: [flash, streaming, "\(name.text)"]
      measure:
        perplexity: {data: builtin:storyteller/test:20, context: 128}
        speed: {prompt: 256, tokens: 64, repetitions: 5}

      """
    },
    question: { "\($0.text) beside attentions of the lab: same perplexity, other speed." })

  static let cache = StageTemplate(
    key: .cache, language: .swift,
    source: { name in
      """
      // \(name.text): a KV cache for TritLab. It keeps the upper 16 bits of each float32.
      //
      //     trit list cache --plugin \(name.file)
      //     trit run \(name.experiment) --plugin \(name.file)
      import TritLab

      struct \(name.type): KVCacheKind {
        let name = "\(name.text)"

        func make(layers: Int, heads: Int, headDimension: Int, capacity: Int) throws -> any KVCache {
          var count = 1
          for factor in [layers, heads, headDimension, capacity] {
            let (product, overflows) = count.multipliedReportingOverflow(by: factor)
            guard factor > 0, !overflows, product < 1 << 40 else {
              throw LabError(
                .badData, "a cache '\\(name)' of this shape cannot be",
                expected: "sizes from 1 up, in memory",
                got: "\\(layers) layers, \\(heads) heads of \\(headDimension), \\(capacity) positions")
            }
            count = product
          }
          try MemoryLimit.require(4 * count, for: "the KV cache '\\(name)'")
          return Store(
            name: name, layers: layers, heads: heads, headDimension: headDimension, capacity: capacity)
        }

        final class Store: KVCache {
          let name: String
          let layers: Int
          let heads: Int
          let headDimension: Int
          let capacity: Int
          let keys: AlignedBuffer<UInt16>
          let values: AlignedBuffer<UInt16>

          init(name: String, layers: Int, heads: Int, headDimension: Int, capacity: Int) {
            self.name = name
            self.layers = layers
            self.heads = heads
            self.headDimension = headDimension
            self.capacity = capacity
            keys = AlignedBuffer(count: layers * heads * capacity * headDimension)
            values = AlignedBuffer(count: layers * heads * capacity * headDimension)
          }

          var bytesPerPosition: Int { 4 * layers * heads * headDimension }

          /// Where the elements of one head at one position begin.
          func start(_ layer: Int, _ head: Int, _ position: Int) -> Int {
            ((layer * heads + head) * capacity + position) * headDimension
          }

          func store(
            layer: Int, first: Int, keys newKeys: MatrixView<Float>, values newValues: MatrixView<Float>
          ) {
            for (rows, store) in [(newKeys, keys), (newValues, values)] {
              for token in 0..<rows.rows {
                for head in 0..<heads {
                  let start = start(layer, head, first + token)
                  for i in 0..<headDimension {
                    store.base[start + i] = UInt16(
                      rows[token, head * headDimension + i].bitPattern >> 16)
                  }
                }
              }
            }
          }

          func load(
            _ store: AlignedBuffer<UInt16>, _ start: Int, _ count: Int,
            _ output: UnsafeMutablePointer<Float>
          ) {
            for i in 0..<count { output[i] = Float(bitPattern: UInt32(store.base[start + i]) << 16) }
          }

          func loadKeys(
            layer: Int, head: Int, positions: Range<Int>, into output: UnsafeMutablePointer<Float>
          ) {
            load(
              keys, start(layer, head, positions.lowerBound), positions.count * headDimension, output)
          }

          func loadValues(
            layer: Int, head: Int, positions: Range<Int>, into output: UnsafeMutablePointer<Float>
          ) {
            load(
              values, start(layer, head, positions.lowerBound), positions.count * headDimension, output)
          }
        }
      }

      func register(_ lab: inout Lab) throws {
        let descriptor = StageDescriptor(
          "\(name.text)", summary: "16 bits an element, cut off", source: "\(name.file)",
          accepts: "float32 keys and values", gives: "the same, rounded to zero",
          exactness: .lossy("each element within 2^-7 of its magnitude"))
        try lab.add(.cache, descriptor) { _ in \(name.type)() }
      }

      """
    },
    experiment: { name in
      """
      sweep:
        cache: [f32, int8, "\(name.text)"]
      measure:
        perplexity: {data: builtin:storyteller/test:20, context: 128}

      """
    },
    question: { "\($0.text) beside caches of the lab: what does it lose for its bytes?" })

  static let head = StageTemplate(
    key: .head, language: .swift,
    source: { name in
      """
      // \(name.text): an output head for TritLab. It keeps the float32 matrix and multiplies row by
      // row.
      //
      //     trit list head --plugin \(name.file)
      //     trit run \(name.experiment) --plugin \(name.file)
      import TritLab

      struct \(name.type): OutputHead {
        let name = "\(name.text)"

        func prepare(_ weights: MatrixView<Float>) throws -> any PreparedHead {
          try WeightGroups.requireFinite(weights)
          let copy = Matrix<Float>(rows: weights.rows, columns: weights.columns)
          for row in 0..<weights.rows {
            (copy.storage.base + row * weights.columns)
              .update(from: weights.base + row * weights.stride, count: weights.columns)
          }
          return Layer(kernel: name, weights: copy)
        }

        /// A head that rounds its weights says by how much in `weightError(row:)`.
        struct Layer: PreparedHead {
          let kernel: String
          let weights: Matrix<Float>
          let rowAlignment = 1
          var rows: Int { weights.rows }
          var columns: Int { weights.columns }
          var weightBytes: Int { 4 * rows * columns }
          var memory: [any RawMemory] { [weights.storage] }

          func multiply(
            _ x: MatrixView<Float>, rows range: Range<Int>, into logits: MutableMatrixView<Float>
          ) {
            for token in 0..<x.rows {
              for row in range {
                logits[token, row] = VectorMath.dot(
                  x.base + token * x.stride, weights.storage.base + row * columns, count: columns)
              }
            }
          }
        }
      }

      func register(_ lab: inout Lab) throws {
        let descriptor = StageDescriptor(
          "\(name.text)", summary: "float32 rows, one after the other", source: "logits = x · Wᵀ",
          accepts: "float32 weights", gives: "logits")
        try lab.add(.head, descriptor) { _ in \(name.type)() }
      }

      """
    },
    experiment: { name in
      """
      sweep:
        head: [exact, int8, "\(name.text)"]
      measure:
        perplexity: {data: builtin:storyteller/test:20, context: 128}
        speed: {prompt: 128, tokens: 64, repetitions: 5}

      """
    },
    question: {
      "\($0.text) beside output heads of the lab: what does it lose, and how fast is it?"
    })
}
