// Names and things the stories are told with. Knows no story and no number but the price ranges.

export interface Person {
  readonly name: string
  readonly he: 'he' | 'she'
  readonly his: 'his' | 'her'
}

export interface Thing {
  readonly one: string
  readonly many: string
}

export interface Good extends Thing {
  /** Sensible whole-dollar prices, low to high. */
  readonly low: number
  readonly high: number
}

const words = (text: string) => text.split(' ')
const things = (text: string): Thing[] =>
  text.split(', ').map(entry => {
    const [one = '', many = `${one}s`] = entry.split('|')
    return { one, many }
  })
const goods = (low: number, high: number, text: string): Good[] =>
  things(text).map(thing => ({ ...thing, low, high }))

const SHE = words(
  'Mia Ana Lucy Nora Ella Zoe Ruth Ivy Maya Lena Sofia Clara Hana Priya Amara Grace Tess Olga Rosa Julia Emma Leila Nina Wendy Fatima Carmen Alice Dana Helen Yuki Kate Vera Ines Paula Sara Joan',
)
const HE = words(
  'Ben Tom Omar Leo Max Sam Raj Hugo Ivan Noah Luis Adam Felix Kofi Paul Eric Jack Liam Marco Peter Owen Hans Victor David Carlos Yusuf Oscar Simon Kenji Martin Frank George Milo Dan Theo Abel',
)

export const PEOPLE: readonly Person[] = [
  ...SHE.map((name): Person => ({ name, he: 'she', his: 'her' })),
  ...HE.map((name): Person => ({ name, he: 'he', his: 'his' })),
]

/** Small things a person can own, give away, sell and pack. */
export const ITEMS: readonly Thing[] = things(
  'marble, sticker, stamp, shell, bead, button, pencil, comic, balloon, cookie, muffin, apple, orange, lemon, peach|peaches, plum, walnut, postcard, ribbon, candle, crayon, magnet, pebble, badge, cupcake, brownie, pear, mango|mangoes, fig, key ring, toy car, trading card, photo, bracelet, seed packet, tulip, rose, paper crane, poster, notebook, pancake, dumpling, sandwich|sandwiches, pretzel',
)

/** Things shops sell, with prices. */
export const GOODS: readonly Good[] = [
  ...goods(
    2,
    9,
    'pen, notebook, candle, sandwich|sandwiches, smoothie, magazine, ruler, brush|brushes, mug, pie, salad, ticket, sock set, key ring, pizza slice, bag of rice|bags of rice, box of tea|boxes of tea, jar of honey|jars of honey, loaf of bread|loaves of bread',
  ),
  ...goods(
    8,
    30,
    'shirt, book, hat, lamp, scarf|scarves, board game, cushion, umbrella, ball, puzzle, vase, belt, plant, towel, cap, clock, basket, kite, poster',
  ),
  ...goods(
    24,
    90,
    'jacket, chair, backpack, radio, camera bag, helmet, skateboard, blanket, sweater, tent, rug',
  ),
]

/** Dear things that people save for. */
export const WISHES: readonly Thing[] = things(
  'bicycle, guitar, camera, telescope, skateboard, tent, tablet, microscope, keyboard, kayak, drone, scooter, desk, violin',
)

export const CONTAINERS: readonly Thing[] = things(
  'box|boxes, bag, jar, basket, tray, crate, bowl, pack, tin',
)

export const SHOPS: readonly string[] = [
  'market',
  'corner shop',
  'mall',
  'fair',
  'garden center',
  'school shop',
  'museum shop',
  'station kiosk',
  'craft market',
]

/** Jobs that pay by the hour. */
export const JOBS: readonly string[] = [
  'babysitting',
  'mowing lawns',
  'walking dogs',
  'tutoring',
  'washing cars',
  'painting fences',
  'stacking shelves',
  'delivering papers',
  'cleaning windows',
  'picking berries',
  'serving lunch',
]

/** Places that hold people. */
export const GROUPS: readonly string[] = [
  'chess club',
  'choir',
  'swim club',
  'drama group',
  'summer camp',
  'book club',
  'running club',
  'dance class',
  'science club',
  'school band',
]

export const CHORES: readonly string[] = [
  'practicing the piano',
  'reading',
  'drawing',
  'cleaning the garage',
  'training',
  'gardening',
  'doing homework',
  'building a model',
]

export const PLANTS: readonly Thing[] = things(
  'tree, rose bush|rose bushes, bean plant, tomato plant, berry bush|berry bushes, pepper plant, cabbage, pumpkin plant, vine',
)

export const VEHICLES: readonly string[] = [
  'train',
  'bus',
  'truck',
  'van',
  'car',
  'ferry',
  'coach',
  'cyclist',
]

export const VESSELS: readonly string[] = [
  'tank',
  'pool',
  'barrel',
  'pond',
  'water tower',
  'fish tank',
  'boiler',
]

export const GROUNDS: readonly string[] = [
  'garden',
  'field',
  'yard',
  'playground',
  'room',
  'hall',
  'patio',
  'court',
]

export const COLORS: readonly string[] = [
  'red',
  'blue',
  'green',
  'yellow',
  'white',
  'black',
  'pink',
  'purple',
]

export const DAYS: readonly string[] = [
  'Monday',
  'Tuesday',
  'Wednesday',
  'Thursday',
  'Friday',
  'Saturday',
  'Sunday',
]
