/// Attention, caches, sampling, and what experiments measure and draw.
extension SiteWords {
  static let attention = Kind(
    "Each query looks at the keys before it, and takes a weighted mean of their values.",
    formula: "softmax(q · Kᵀ / √d) · V        over positions up to the query's own",
    about: """
      Heads are independent, and several query heads share the keys of one. The time grows with the positions, so that long \
      contexts are about attention, and short ones about kernels.
      """,
    choosing: """
      `flash` is what runs where nobody chooses. `naive` and `streaming` are there to be read and compared; `sliding` changes the \
      model: older keys are not seen.
      """,
    laws: [
      "Equal to the formula in double precision, within the float32 bound.",
      "Causal: later keys change nothing.",
      "The same however a prompt is cut, and whichever thread computes which heads.",
    ],
    groups: [
      Group(
        "exact", "Exact", ["naive", "streaming", "flash"],
        formula: """
          m' = max(m, s)      l' = l · e^(m − m') + e^(s − m')      o' = o · e^(m − m') + e^(s − m') · v
          """,
        about: """
          `naive` keeps all scores of a query. `streaming` goes once over tiles of keys with a running maximum m and sum l, by \
          the recurrence above. `flash` does so in blocks of registers, reads the cache as it is stored, and cuts long contexts over \
          threads.
          """,
        choosing: "`flash`, and `streaming` where sums must be added in one order."),
      Group(
        "window", "A window", ["sliding"],
        formula: "softmax over the last `window` positions only",
        about: "Time and reading stay bounded however long the text is.",
        choosing: "For models that were trained so, and to see how far back a model looks."),
    ])

  static let cache = Kind(
    "Keys and values of past positions, in memory.",
    formula: "bytes a position = 2 · layers · heads · d · bytes an element",
    about: """
      Every new token reads all of it. At long contexts the cache is more bytes than the weights, and its precision is \
      speed.
      """,
    choosing: """
      `f32` is exact and what runs where nobody chooses; `f16` halves the bytes at errors far below those of int8 activations; \
      `int8` halves them again.
      """,
    laws: [
      "What is loaded is what was stored, within the precision's bound.",
      "Positions and layers do not disturb each other.",
      "Nothing is allocated after it was made.",
    ],
    groups: [
      Group(
        "floats", "Floats", ["f32", "f16", "bf16"],
        formula: "relative error:  f32 none    f16 2⁻¹¹    bf16 2⁻⁸",
        about: "`f16` is finer, `bf16` has the range of float32.",
        choosing: "`f16` for speed at no loss that is seen."),
      Group(
        "int8", "Integers", ["int8"],
        formula: "q = round(x · 127 / max|x|)        one scale a head and position",
        about: "A byte an element and a scale.", choosing: "For long contexts.",
        figure: Picture("kl-by-position", "KL divergence from the reference along the context.")),
      Group(
        "auto", "auto: the fastest that loses little", ["auto"],
        about: "Times one query over 1,024 positions from memory.",
        choosing: "For generation at long contexts."),
    ])

  static let processor = Kind(
    "Logits are changed before a token is drawn: penalties, temperature, truncation.",
    formula: "p(x) = exp(z_x / T) / Σ exp(z / T)",
    about: """
      Processors run in the order in which they stand. None adds a candidate, and at least one always stays. Ties go to the \
      smaller token id.
      """,
    choosing: """
      For text: `top-k`, then `top-p` or `min-p`, then `temperature`. For figures that can be compared: none, and `greedy`.
      """,
    laws: [
      "No candidate is added, and one always stays.",
      "The result is a function of candidates and history, in whatever order candidates come.",
      "No logit becomes NaN or +∞.",
    ],
    groups: [
      Group(
        "rescaling", "Rescaling", ["temperature", "logit-bias"],
        formula: "temperature: z / T        logit-bias: z + b for one token",
        about:
          "Below 1 a temperature sharpens, above it flattens; 0 leaves the best candidate alone.",
        choosing: "Temperature last, so that truncation sees the model's own distribution."),
      Group(
        "truncation", "Truncation", ["top-k", "top-p", "min-p", "typical", "xtc"],
        formula: """
          top-k:    the k greatest
          top-p:    the fewest greatest whose probabilities reach p
          min-p:    all with probability ≥ p · greatest
          typical:  those whose −ln p is nearest to the entropy, until they reach p
          xtc:      now and then, of all with probability ≥ threshold the least likely alone stays
          """,
        about: """
          The tail of a vocabulary is long, and each unlikely word of it is a little likely. These cut it off: by number, by \
          mass, by share of the best, or by surprise.
          """,
        choosing: "`min-p` follows the model's certainty; `top-k` does not, and is the cheapest."),
      Group(
        "penalties", "Penalties",
        ["repetition-penalty", "presence-penalty", "frequency-penalty", "dry"],
        formula: """
          repetition:  z / θ where z > 0, else z · θ
          presence:    z − c  for tokens that occurred
          frequency:   z − c · (how often)
          dry:         z − m · b^(n − a)  for tokens that would continue a repetition of n ≥ a tokens
          """,
        about: "Tokens of the newest `last-n` become less likely.",
        choosing: "For small models that fall into loops."),
    ])

  static let sampler = Kind(
    "One of the candidates becomes the next token.",
    formula: """
      greedy: argmax z        multinomial: x with probability p(x)
      mirostat: p(x) among the most likely, as many as keep the mean −log₂ p near τ
      """,
    about: """
      Randomness comes from a seeded generator that is passed in, and from nowhere else: a text is a function of model, prompt, \
      chain and seed.
      """,
    choosing: """
      `greedy` to compare variants token by token, `multinomial` for text; `mirostat-v2` for long texts that must neither \
      drift nor loop.
      """,
    laws: [
      "What is drawn is one of the candidates, and none that is −∞.",
      "`greedy` takes the best, whatever the order; `multinomial` draws by the softmax (tested by chi-squared).",
      "The same seed gives the same tokens.",
    ])

  static let measure = Kind(
    "What an experiment measures on every variant.",
    about: """
      A measure is a section of `measure:` in an experiment file, and one Swift file in the lab: its settings, what it needs, how it \
      runs, its columns. Whatever changes a figure is part of the record's digest: nothing is measured twice, and nothing \
      stale is reused.
      """,
    choosing: """
      `perplexity` and `divergence` say what quantization costs, `weights` why, `speed` and `roofline` what it gains, `tasks` whether \
      it matters. `generate` shows it in words.
      """,
    groups: [
      Group(
        "quality", "What it costs", ["perplexity", "divergence", "tasks", "retrieval", "generate"],
        formula: """
          perplexity = exp( −1/N · Σ ln p(token) )
          KL = Σ_x p(x) · ln( p(x) / q(x) )        p: the reference, q: the variant
          """,
        about: """
          Perplexity is the text's; KL divergence compares with the reference at every position and needs far less text for \
          the same certainty. Errors are those over windows, which are larger than those over tokens.
          """,
        choosing: "`divergence` to rank variants, `perplexity` to compare with published figures."),
      Group(
        "weights", "The weights themselves", ["weights"],
        formula: "relative MSE = ‖W − Ŵ‖² / ‖W‖²",
        about: "Error, share of zeros, entropy and bits a weight.",
        choosing: "To see why a rule loses."),
      Group(
        "speed", "What it gains", ["speed", "roofline", "energy"],
        formula: """
          tokens/s ≤ min( bandwidth / bytes a token,  peak / operations a token )
          """,
        about: """
          Variants take turns in rounds, so that a machine that slows down slows all of them. Roofs are measured in the same run. \
          Energy is a sum of published figures for adders and multipliers, and joules where the processor counts them.
          """,
        choosing: "On a quiet machine: what others disturbed is marked."),
    ])

  static let figure = Kind(
    "What an experiment draws of its records.",
    about: """
      A figure is one Swift file with its data and one gnuplot template, `plots/NAME.gp`. A run keeps data and script beside the \
      images, so that `gnuplot NAME.gp` draws it again after a change. A template of your own beside the experiment file \
      draws the data of any figure: `plots: [{template: mine.gp, data: throughput}]`.
      """)
}
