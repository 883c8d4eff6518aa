extension Lexicon {
  /// Things to play with.
  static let toys = NounGroup(
    """
    ball, kite, doll, drum, toy train, wooden horse, puzzle, teddy bear, toy boat, robot, whistle,
    jump rope, spinning top, paper plane, toy car, rocket, flute, scooter, yo-yo, hoop, wagon,
    puppet,
    picture book, trumpet, marble, dragon mask
    """,
    adjectives: """
      red, blue, new, shiny, green, big, little, yellow, pretty, old, orange, purple, striped,
      bright,
      special, fancy
      """)
  /// Things to wear or carry.
  static let belongings = NounGroup(
    """
    hat, scarf/scarves, coat, mitten, umbrella, basket, bag, blanket, key, lantern, bell, ring, cap,
    boot, ribbon, button, mug, pencil, necklace, bracelet, compass, purse, notebook, paintbrush
    """,
    adjectives: """
      red, blue, warm, new, green, favorite, little, soft, yellow, old, brown, pink, gray, neat,
      lovely
      """)
  /// Small things that are found outside.
  static let treasures = NounGroup(
    """
    shell, stone, feather, leaf/leaves, coin, acorn, flower, stick, pine cone, nut, pebble, crystal,
    chestnut, seed, twig, pearl
    """,
    adjectives: """
      shiny, smooth, golden, white, tiny, round, pretty, strange, sparkling, gray, pink, spotted,
      perfect, speckled
      """)
  /// Food that is counted.
  static let fruits = NounGroup(
    """
    apple, cookie, berry, carrot, pear, plum, cherry, nut, strawberry, peach, muffin, pancake,
    banana,
    orange, cupcake, candy, grape, acorn, radish, tomato/tomatoes, walnut, turnip
    """,
    adjectives: "sweet, juicy, big, ripe, tasty, fresh, crunchy, round, yummy, small")
  /// Food that is made.
  static let dishes = NounGroup(
    """
    soup, bread, chocolate cake, apple pie, pizza, jam, salad, pudding, stew, porridge, popcorn,
    lemonade,
    spaghetti, gingerbread, rice pudding, banana bread, cheesecake, fruit salad, noodle soup
    """,
    adjectives: "warm, tasty, delicious, hot, sweet, special, fresh, wonderful, homemade")
  /// What goes into a dish.
  static let ingredients = NounGroup(
    """
    flour, milk, butter, sugar, honey, salt, cheese, cream, eggs, rice, corn, oil, cinnamon, onions,
    beans, pepper, nuts, yeast
    """)
  /// What is built by hand.
  static let buildings = NounGroup(
    """
    tree house, birdhouse, sandcastle, raft, snowman/snowmen, tent, bridge, swing, fort, boat,
    bench,
    cart, sled, windmill, doghouse, tower
    """,
    adjectives: "big, little, strong, wonderful, fine, tall, cozy, secret, sturdy")
  /// What it is built with.
  static let materials = NounGroup(
    """
    wood, rope, nails, stones, paint, paper, sticks, glue, string, boards, leaves, cloth, mud, wire,
    bricks, straw, tape
    """)
  /// Where one plays, walks or meets.
  static let outdoors = NounGroup(
    places: """
      in park, in garden, in forest, by river, on beach, on hill, in field, by lake, in meadow,
      by pond,
      in yard, in village, on farm, in orchard, by stream, at playground, in valley, at bridge,
      on road,
      at harbor, at fountain, by mill
      """)
  /// Where something is hidden in a house.
  static let hidingPlaces = NounGroup(
    places: """
      under bed, behind sofa, in closet, under table, behind door, in kitchen, in attic,
      behind curtain,
      in basement, under stairs, in cupboard, in bathtub, behind bookcase, under pillow, in drawer,
      in laundry basket, behind clock, in garage, on shelf, under rug
      """)
  /// Where something lies outside.
  static let outdoorHidingPlaces = NounGroup(
    places: """
      under tree, behind bush, in grass, under bridge, behind rock, in hollow log, near gate,
      by fence,
      under bench, behind shed, in sandbox, near well, in barn, on wall, in flower bed, by mailbox,
      in haystack, under leaves
      """)
  /// What frightens.
  static let fears = NounGroup(
    """
    the dark, thunder, deep water, big dogs, high places, loud noises, spiders, the old cave,
    the doctor, strangers, bees, the attic, the wind, the long tunnel
    """)
  /// What is sold.
  static let wares = NounGroup(
    """
    loaf of bread/loaves of bread, egg, lemon, candle, potato/potatoes, onion, fish/fish, melon,
    bun,
    pumpkin, cabbage, sausage, jar of honey/jars of honey, bottle of milk/bottles of milk,
    bar of soap/bars of soap, spool of thread/spools of thread
    """)
  /// What is planted.
  static let plants = NounGroup(
    """
    sunflower, pumpkin, bean, tulip, rose, carrot, daisy, corn plant, melon, pea, lily, poppy,
    cabbage,
    tomato plant, violet
    """)
  /// Small creatures in need of help.
  static let creatures = NounGroup(
    """
    bird, kitten, butterfly, bee, ladybug, turtle, baby duck, snail, beetle, bunny, ant, lizard,
    cricket,
    baby owl, caterpillar, dragonfly, chick, crab, bat, fawn
    """,
    adjectives: "little, tiny, small, lost, poor, scared, young, gray, brown, lonely")
}

extension Narrator {
  /// Puts a noun of the group, with an adjective where the group has some, into `slot`; a noun
  /// whose word is in one of the `other` slots is left out.
  mutating func take(_ group: NounGroup, into slot: Slot, not other: [Slot] = []) {
    if let derivations { return derivations.take(group, into: slot, not: other) }
    let words = other.map { self[$0].word }
    let excluded =
      other.isEmpty
      ? [] : group.nouns.indices.filter { words.contains(group.nouns[$0].word) }
    var noun = group.nouns[choose(group.table, excluding: excluded)]
    if !group.adjectives.words.isEmpty {
      noun.adjective = group.adjectives.words[choose(group.adjectives.table)]
    }
    self[slot] = noun
  }
}
