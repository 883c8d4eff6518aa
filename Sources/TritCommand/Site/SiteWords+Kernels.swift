/// Linear kernels and output heads.
extension SiteWords {
  static let kernel = Kind(
    "Packed weights times activations: nearly all of the time that a model takes.",
    formula: "y[t, r] = s_x[t] · s_w[r] · Σ_k  w[r, k] · q[t, k]",
    about: """
      The sum is an integer, and no order of adding changes it: every lossless kernel gives the bits of \
      `reference`, on any instruction set and however rows are cut over threads.

      A kernel's name is its packing and its instruction set. A packing's bare name stands for the fastest of its kernels \
      here.
      """,
    choosing: """
      `auto`, which is what runs where nobody chooses, races the candidates on the model's own matrices and keeps what it \
      found. Choose by name to compare: `trit bench --kernel i2_s,tl2,base3`.

      One token at a time reads all weights for little arithmetic: memory is the limit, and fewer bits win. A prompt of \
      hundreds of tokens reads them once for all: arithmetic is the limit, and `i2_s` wins on machines with VNNI.
      """,
    laws: [
      "Lossless: int32 sums are those of `reference`, bit for bit, for every shape and number of tokens.",
      "The result does not depend on how rows are cut into ranges, nor on the thread.",
      "A lossy kernel stays within the bound that it states.",
      "A kernel that leaves out unwanted outputs gives the wanted ones as they are.",
    ],
    groups: [
      Group(
        "reference", "The formula", ["reference", "reference-f32"],
        formula: "for each row, for each column:  sum += w · q",
        about: """
          What the others are measured against: no packing, no blocking, no SIMD. It is slow, and there to be read. \
          `reference-f32` takes any weights, dequantized, and sums in float64.
          """,
        choosing: "As the oracle of a test, and to learn what a kernel does."),
      Group(
        "i2_s", "i2_s: two bits and multiply-add", ["i2_s", "tq2_0", "trits_f32"],
        formula: """
          Σ trit · q  =  Σ code · q  −  Σ q        code = trit + 1 ∈ {0, 1, 2}
          """,
        about: """
          Codes are unsigned, as `vpmaddubsw` and `vpdpbusd` want their first operand; Σ q is known once for each token \
          and taken off at the end. Weights lie in panels of 32 rows: one sequential stream, and no sum crosses a lane. \
          Scales per group of columns stand in the stream behind their group. `trits_f32` multiplies the same panels with \
          float activations.
          """,
        choosing:
          "The all-round choice: prompts on any x86 or ARM, and decoding where memory is fast.",
        figure: Picture("throughput", "Prefill and decode speed of one model by three packings.")),
      Group(
        "base3", "base3: five trits a byte", ["base3", "tq1_0"],
        formula:
          "1.6 bits a weight where i2_s reads 2:  at most 1.25 times as fast, where memory is the limit",
        about: """
          Bytes are decoded to 2-bit codes in registers, by comparisons and shuffles or by one `vpermb` for 64 \
          of them, and multiplied as `i2_s` does.
          """,
        choosing: "For decoding large models on machines whose cores wait for memory."),
      Group(
        "tables", "tl1 and tl2: look-ups in place of products", ["tl1", "tl2"],
        formula: """
          tl1:  table[i] = w₀·q₀ + w₁·q₁        9 sums for 2 activations
          tl2:  table[i] = ±(w₀·q₀ + w₁·q₁ + w₂·q₂)   14 sums for 3 activations, and a sign
          """,
        about: """
          There are only nine values that two trits can make of two activations. They are computed once for each token, and \
          every row looks its own up: a byte shuffle does 32 or 64 look-ups at once. Sums are exact, in int16 within a tile.
          """,
        choosing: "On CPUs without VNNI, and to compare with bitnet.cpp's."),
      Group(
        "rounded-tables", "tl1_0 and tl2_0: rounded tables", ["tl1_0", "tl2_0"],
        formula: """
          |error| ≤ look-ups · f/2 · s_x · |s_w|        f = max(1, greatest entry / 127)
          """,
        about: """
          The same with tables of int8: one look-up in place of two, at the price of rounding. The bound is stated, and \
          the laws hold it.
          """,
        choosing: "To see what rounding the tables costs and gains."),
      Group(
        "integers", "int8 and int4", ["int8", "int4"],
        formula: "y = s_x · Σ_groups  s_w · Σ w · q",
        about: "Integers of 2 to 8 bits a byte each, or two a byte. Scales may be those of groups.",
        choosing: "For the integer quantizers: the baselines of ternary models."),
      Group(
        "sparse", "sparse_columns and sparse_rows: zeros are not read",
        ["sparse_columns", "sparse_rows"],
        formula: """
          down:  Σ over k with q[k] ≠ 0          columns behind ReLU²
          up:    only rows r whose gate[r] > 0    the rest is multiplied by zero anyway
          """,
        about: """
          ReLU² makes most inputs of `down` zero, and makes outputs of `up` unwanted. A column that meets a zero is not read; \
          a row that nobody wants is not either. Both are exact.
          """,
        choosing: """
          For the feed-forward layers of ReLU² models, by `--layers '*.ffn_down:kernel=sparse_columns'`. `auto` finds out \
          whether it pays.
          """,
        figure: Picture(
          "sparsity",
          "A layer with 86 % zeros: dense kernels under the roofs, the sparse one above them.")),
      Group(
        "float", "Through OpenBLAS", ["openblas", "dequantize"],
        formula: "y = Ŵ · x        in float32",
        about: """
          Weights of any form, expanded to float32. `openblas` is the fp32 reference; `dequantize` also takes int8 \
          activations, so that quantized weights meet the float path.
          """,
        choosing: "As the reference, and for dense models."),
      Group(
        "auto", "auto: the fastest here", ["auto"],
        about: """
          Every candidate that takes the weights runs on the first rows of each shape, from memory where the model \
          is large. What was found is kept with the machine, the program and the shape, and used again.
          """,
        choosing: "Unless you compare kernels: always."),
    ])

  static let head = Kind(
    "The last hidden state becomes a logit for every word of the vocabulary.",
    formula: "logits = W · x        W: [vocabulary, hidden]",
    about: """
      The largest matrix of a model, and not a ternary one: in a 2-billion-parameter model it is a third of the bytes that a \
      token reads at 16 bits. Its input is not quantized.
      """,
    choosing: """
      `exact`, which is what runs where nobody chooses, is the narrowest format that holds every weight. `auto` picks the fastest \
      among those that lose no more than `loss`. For greedy and top-k text, `screened` reads fewer bytes and gives the same \
      tokens.
      """,
    laws: [
      "Each logit is within the bound that follows from the rounding of its row's weights.",
      "The result does not depend on how rows are cut into ranges.",
      "`screened`: the k greatest logits are those of the exact head, bit for bit.",
    ],
    groups: [
      Group(
        "floats", "Floats", ["exact", "f32", "f16", "bf16"],
        formula: "f32: 4 bytes      f16, bf16: 2 bytes, widened as they are read",
        about: """
          Checkpoints come in bfloat16 as a rule, and such weights are exact in `bf16`. `exact` looks and takes the narrowest \
          of the three that loses nothing.
          """,
        choosing: "Where logits must be those of the checkpoint: perplexity, comparison."),
      Group(
        "integers", "Integers", ["int8", "int6", "int4"],
        formula: """
          int8:  one scale a row            |δw| ≤ max|w| / 254
          int6:  a scale for 32 columns     |δw| ≤ max|w| / 62
          int4:  a scale for 32 columns     |δw| ≤ max|w| / 14
          """,
        about: "Fewer bytes, and logits that are a little off, as other programs have them.",
        choosing: "`int8` for speed at little loss; `int4` to see what breaks."),
      Group(
        "screened", "Screened", ["screened"],
        formula: "|logit − low-bit logit| ≤ ‖δ_r‖ · ‖x‖        (Cauchy and Schwarz)",
        about: """
          A pass in few bits puts each logit into an interval. Rows whose upper end is below the k-th greatest lower end are \
          out; all others get the logit of the exact head. What is greatest is exact, what is far below is approximate.
          """,
        choosing:
          "For greedy and top-k text. Not for perplexity, which needs the whole distribution."),
      Group(
        "auto", "auto: the fastest that loses little", ["auto"],
        about: "Times the heads that lose no more than `loss` on the first rows.",
        choosing: "For generation."),
    ])
}
