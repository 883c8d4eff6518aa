extension Lexicon {
  /// Girls' names.
  static let girls = WordClass(
    """
    Lily, Mia, Anna, Sara, Emma, Zoe, Ella, Ruby, Nora, Amy, Lucy, Rosie, Kate, Tina, Jane, Clara,
    Molly, Ivy, Maya, Lena, Alice, Daisy, Hazel, Elsa, Nina, June, Poppy, Olga, Vera, Wendy
    """)
  /// Boys' names.
  static let boys = WordClass(
    """
    Tom, Ben, Max, Sam, Leo, Jack, Tim, Finn, Noah, Luke, Oscar, Theo, Hugo, Adam, Peter, Felix,
    Jonas, Henry, Milo, Oliver, Eric, Ravi, Omar, Carl, Simon, Victor, Walter, Otto, Ned, Kai
    """)
  /// Names of animals that are he.
  static let maleAnimals = WordClass(
    """
    Pip, Rusty, Biscuit, Bruno, Scamper, Toby, Whiskers, Chip, Buster, Fuzzy, Bramble, Nibbles,
    Ziggy,
    Hopper, Waddle, Barnaby, Grumble, Tuck
    """)
  /// Names of animals that are she.
  static let femaleAnimals = WordClass(
    """
    Bella, Coco, Willow, Clover, Pearl, Tilly, Honey, Penny, Maple, Dot, Blossom, Velvet, Olive,
    Twinkle, Juniper, Peaches, Fern, Misty
    """)
  /// What animal characters are.
  static let animals = NounGroup(
    """
    rabbit, fox, bear, mouse/mice, squirrel, frog, duck, hedgehog, owl, cat, puppy, badger, mole,
    deer,
    goat, turtle, beaver, pony, otter, hen, lamb, raccoon, porcupine, donkey
    """)
  /// Grown-ups: what they are called, their kind, and whether they are he.
  static let elders: [Entity] = [
    Entity(word: "Mom", kind: "mother"), Entity(word: "Dad", kind: "father", isMale: true),
    Entity(word: "Grandma", kind: "grandmother"),
    Entity(word: "Grandpa", kind: "grandfather", isMale: true),
    Entity(word: "Aunt May", kind: "aunt"), Entity(word: "Uncle Bob", kind: "uncle", isMale: true),
  ]
  static let elderTable = WeightTable([4, 4, 3, 3, 1, 1])
}

extension Narrator {
  /// Casts a child: a name that is not in use yet.
  mutating func castChild(_ slot: Slot) {
    if let derivations { return derivations.cast(slot, isAnimal: false) }
    let isMale = chance(0.5)
    let index = name(isMale ? Lexicon.boys : Lexicon.girls, base: isMale ? 100 : 0)
    self[slot] = Entity(
      word: (isMale ? Lexicon.boys : Lexicon.girls).words[index], kind: isMale ? "boy" : "girl",
      isMale: isMale)
  }

  /// Casts an animal of a kind that no other animal of the story is.
  mutating func castAnimal(_ slot: Slot) {
    if let derivations { return derivations.cast(slot, isAnimal: true) }
    let isMale = chance(0.5)
    let index = name(
      isMale ? Lexicon.maleAnimals : Lexicon.femaleAnimals, base: isMale ? 300 : 200)
    let kinds = Lexicon.animals
    let used = namesInUse.filter { $0 >= 400 }.map { $0 - 400 }
    let kind = choose(kinds.table, excluding: used)
    namesInUse.append(400 + kind)
    self[slot] = Entity(
      word: (isMale ? Lexicon.maleAnimals : Lexicon.femaleAnimals).words[index],
      kind: kinds.nouns[kind].word, isMale: isMale)
  }

  /// Casts a grown-up of the family.
  mutating func castElder(_ slot: Slot) { draw(Lexicon.elders, Lexicon.elderTable, into: slot) }

  /// Casts the heroes of a story, all children or all animals; the names are possible answers to
  /// `who`.
  mutating func cast(_ slots: [Slot], animals probability: Double = 0.4) {
    let areAnimals = chance(probability)
    for slot in slots {
      if areAnimals { castAnimal(slot) } else { castChild(slot) }
    }
    offer(.who, slots)
  }

  private mutating func name(_ list: WordClass, base: Int) -> Int {
    let used = namesInUse.filter { $0 >= base && $0 < base + 100 }.map { $0 - base }
    let index = choose(list.table, excluding: used)
    namesInUse.append(base + index)
    return index
  }
}
