/// Quantizers and packings.
extension SiteWords {
  static let quantizer = Kind(
    "Trained float weights become few-valued ones, once, when a model is loaded.",
    formula: """
      W ≈ α · T        T ∈ {−1, 0, +1}
      one α per tensor, row or group of columns
      """,
    about: """
      A quantizer decides two things: which weights become zero, and what the others are worth. Everything after it \
      multiplies small integers and applies the scale α once to each sum.

      Models of the BitNet family are trained with one rule and expect the same one again; a dense model takes whatever rule \
      loses least.
      """,
    choosing: """
      A model that was trained ternary: leave it to the model (`model`). Another rule gives other trits than those it \
      was trained with, and perplexity shows it.

      A dense model: `lloyd` has the least error that trits can have, `twn` is near it, `int4` and `int8` say what more bits would \
      give. With `group=128` each stretch of a row has its own scale, which helps all of them.
      """,
    laws: [
      "The shape is kept, and the result is a function of the input alone.",
      "Zeros stay zeros; NaN and infinity are errors that name the first one's place.",
      "A quantizer that calls itself idempotent gives the same codes for its own result.",
    ],
    groups: [
      Group(
        "absmean", "absmean and its kin", ["absmean", "absmean-ls", "absmedian", "absmax"],
        formula: """
          γ = max(mean|W|, 10⁻⁵)
          T = clip(round(W / γ), −1, +1)
          Ŵ = γ · T
          absmean-ls:  Ŵ = α · T,  α = ⟨W, T⟩ / ⟨T, T⟩
          """,
        about: """
          The rule of BitNet b1.58: weights are divided by their mean magnitude and rounded, halves to the even \
          neighbour. What is smaller than γ / 2 becomes zero: 31 % of Gaussian weights. `absmedian` takes the median in \
          place of the mean, `absmax` the maximum, which leaves nearly all weights zero and is there as a negative \
          control. `absmean-ls` keeps the trits and fits the scale by least squares: the difference is what the scale alone \
          costs.
          """,
        choosing: "For models that were trained with it, and to see what training with it is worth."
      ),
      Group(
        "sign", "Signs alone", ["sign"],
        formula: """
          μ = mean W        T = +1 where W > μ, else −1
          β = mean|W|       Ŵ = β · T
          """,
        about: """
          The 1-bit weights of the first BitNet paper. There are no zeros, so that a ternary kernel runs them and a \
          bit of every trit is unused.
          """,
        choosing: "To see what the zero is worth."),
      Group(
        "least-squares", "Least squares", ["twn", "lloyd"],
        formula: """
          minimise ‖W − α · T‖²   over α and T
          given a threshold Δ:  T = sign(W) · [|W| > Δ],   α = mean of |W| where |W| > Δ
          twn:    Δ = 0.75 · mean|W|
          lloyd:  Δ = α / 2, the best of all thresholds, by sorting
          """,
        about: """
          Both ask for the trits that are nearest to the weights. `twn` takes the threshold that is best for Gaussian \
          weights; `lloyd` tries all of them, by sorting magnitudes and adding up. Relative squared error on \
          Gaussian weights: 0.190 for both, 0.264 for absmean.
          """,
        choosing: "For dense models that become ternary without training.",
        figure: Picture(
          "size-vs-perplexity", "Perplexity against the bytes of the linear weights.")),
      Group(
        "integers", "Integers", ["int8", "int4", "int2"],
        formula: """
          L = 2^(b−1) − 1        s = max|W| / L
          q = round(W / s)       Ŵ = s · q
          """,
        about: """
          Rounding to nearest by the largest magnitude, as post-training quantization does. It is the baseline for \
          ternary training: how many bits does a dense model need for the same perplexity? `range=full` uses \
          all 2^b codes, with a scale of either sign, as llama.cpp's Q4_0.
          """,
        choosing: "As baselines, and where a model must stay near its dense form."),
      Group(
        "none", "No quantization", ["none"], formula: "Ŵ = W",
        about: "Weights stay float32. The products go through OpenBLAS.",
        choosing: "For the reference: what everything else is compared with."),
    ],
    figure: Picture(
      "perplexity-by-variant",
      "Perplexity of one ternary model by five variants, two of them other rules."))

  static let activations = Kind(
    "Activations become small integers with one scale a token, before each linear layer.",
    formula: "q = round(x · 127 / max|x|)        x ≈ max|x| / 127 · q",
    about: """
      The scale is one of the row, that is of the token: rows do not know of each other, so that a token gets the \
      same integers alone and within a prompt.

      int8 rounding amplifies differences: a last bit of a float can move a value to the other side of a half. Two correct \
      engines differ by that.
      """,
    choosing: """
      Leave it to the model: ternary models are trained with 8-bit activations. `none` runs the float path and shows what \
      the rounding costs; the 4-bit ones show how far it can go.
      """,
    laws: [
      "Rows are independent; a row of zeros gives zeros and a finite scale.",
      "The sums that kernels need are those of the codes; padding is zero.",
      "NaN and infinity stay visible in what the row stands for.",
      "Nothing is allocated after the first call.",
    ],
    groups: [
      Group(
        "absmax", "By the largest magnitude", ["int8", "int4"],
        formula: """
          m = max(max|x|, 10⁻⁵)
          q = round(x · L / m)          L = 127 for int8, 7 for int4
          """,
        about: "No value is clipped, and the error is at most half a step of m / L.",
        choosing: "`int8` is what models of the BitNet family are trained with."),
      Group(
        "clipped", "With clipping", ["int8-clipped", "int4-absmean"],
        formula: """
          int8-clipped:   m = the 99.9th percentile of |x|,  then as int8
          int4-absmean:   β = mean|x|,  q = clip(round(√7 · x / β), −8, 7)
          """,
        about: """
          One outlier costs all other values of its row their resolution. These let the outlier go: it is clipped, and the \
          rest is rounded more finely.
          """,
        choosing: "For models with outliers; `int4-absmean` is the input of BitNet a4.8."),
      Group(
        "rotated", "Rotated first", ["hadamard-int4"],
        formula: """
          x' = H · x / √n              per block of n columns
          x̂  = H · (codes of x' · scale) / √n
          """,
        about: """
          A Hadamard matrix spreads an outlier over its whole block before it can spoil the scale; the same matrix takes the \
          rotation back. The codes live in the rotated basis, so what leaves is float32: this has the accuracy of the method \
          on any weights, not its speed.
          """,
        choosing: "To see whether outliers are what costs perplexity at 4 bits."),
      Group(
        "none", "No quantization", ["none"], formula: "x̂ = x",
        about: "Activations stay float32.",
        choosing: "With dense weights, and to separate errors of weights from those of activations."
      ),
    ])

  static let packing = Kind(
    "Quantized weights as bytes of a layout, and back, exactly.",
    formula: "log₂ 3 = 1.585 bits a trit at best;  five trits a byte: 1.6,  four: 2",
    about: """
      A packing says which weight lies in which bits. Decoding a token reads every weight once, so bytes are time: \
      where memory is the limit, fewer bits are faster, as long as unpacking keeps up.
      """,
    choosing: """
      A file's packing is what it is. A kernel of the same layout takes its bytes as they are; others lay the weights out \
      again for themselves. Where a packing is chosen, the weights go through it, and kernels see what a file of it would hold. \
      `trit export` writes `i2_s`, `tq1_0` or `tq2_0` for other programs.
      """,
    laws: [
      "What is packed unpacks to the same trits and scales, for every legal shape.",
      "The number of bytes is the one that is stated.",
      "Bytes that no packing could have made are an error, never a trap.",
    ],
    groups: [
      Group(
        "two-bits", "Two bits a trit", ["i2_s", "tq2_0", "q2_0", "pq2_0"],
        formula: """
          code = trit + 1 ∈ {0, 1, 2}
          i2_s:   byte p of a block of 128 holds columns p, 32+p, 64+p, 96+p, the first in the top bits
          tq2_0:  blocks of 256, each with a float16 scale, the first quarter in the low bits
          q2_0:   blocks of 64 (pq2_0: of 128), a float16 scale first, four neighbours a byte
          """,
        about: """
          Shifts and masks unpack them: one load and three shifts give four runs of consecutive weights, in step with \
          consecutive activations. `i2_s` is bitnet.cpp's, `tq2_0` and `q2_0` llama.cpp's, `pq2_0` PrismML's.
          """,
        choosing: "Where the arithmetic is the limit: prompts, and machines with fast memory."),
      Group(
        "base3", "Base 3", ["base3", "tq1_0", "ptq1_0"],
        formula: """
          base3:  byte = 81·d₀ + 27·d₁ + 9·d₂ + 3·d₃ + d₄,   d = trit + 1
          tq1_0:  the same number v as the fraction ⌈256·v / 243⌉: multiplying by 3 brings the next digit out
          """,
        about: """
          Five trits a byte, since 3⁵ = 243 fits in 256. `base3` is the lab's own: five neighbours a byte, any shape. `tq1_0` is \
          llama.cpp's, in blocks of 256 with a float16 scale, `ptq1_0` PrismML's, in blocks of 128.
          """,
        choosing: "Where memory is the limit, and for the smallest files."),
      Group(
        "tables", "Indices into tables", ["tl1", "tl2"],
        formula: """
          tl1:  index = 3·w₀ + w₁ + 4            4 bits for 2 trits, 2 bits a trit
          tl2:  index = |9·w₀ + 3·w₁ + w₂|       4 bits and a sign for 3 trits, 1.67 bits a trit
          """,
        about: """
          The bits are no numbers to multiply with but places in a table of sums, made of the activations. Rows lie \
          side by side, so that one load gives the indices of many rows into one table.
          """,
        choosing: "With the kernels of the same names, and to read files of bitnet.cpp."),
      Group(
        "integers", "Integers", ["int8", "int4"],
        formula: "int8: a byte a weight        int4: two a byte, the even column in the low nibble",
        about: "Two's complement. They take trits too: the price of not packing.",
        choosing: "For weights of more than two bits."),
    ])
}
