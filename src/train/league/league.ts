// A league: frozen players of two sides and a table of how they fared against each other. Plain data, fit for JSON; each change
// returns a new one. Knows neither what a player is nor how the game goes.

/** A player as it was when it was frozen. Names are unique on a side. */
export interface Frozen<Player> {
  readonly name: string
  readonly player: Player
}

/** Games of one pair. */
export interface Meeting {
  readonly games: number
  /** Games that the attacker won. */
  readonly won: number
}

export interface League<Attacker, Defender> {
  /** Oldest first. */
  readonly attackers: readonly Frozen<Attacker>[]
  readonly defenders: readonly Frozen<Defender>[]
  /** By defender's name, then by attacker's. */
  readonly table: Readonly<Record<string, Readonly<Record<string, Meeting>>>>
}

/** Players kept on a side. */
const MOST_PLAYERS = 12

export const emptyLeague = (): League<never, never> => ({ attackers: [], defenders: [], table: {} })

/** The league with this defender in it: one of the same name that is there already stays, with its games. */
export const withDefender = <A, D>(league: League<A, D>, defender: Frozen<D>): League<A, D> =>
  league.defenders.some(({ name }) => name === defender.name) ? league : freezeDefender(league, defender)

/** The league with one more attacker. One of the same name is replaced, with its games: a stage that is run again changes nothing twice. */
export function freezeAttacker<A, D>(
  league: League<A, D>,
  attacker: Frozen<A>,
  most = MOST_PLAYERS,
): League<A, D> {
  const attackers = admit(league.attackers, attacker, most)
  return { ...league, attackers, table: pruned(league, attackers, league.defenders, attacker.name) }
}

/** The same for a defender. */
export function freezeDefender<A, D>(
  league: League<A, D>,
  defender: Frozen<D>,
  most = MOST_PLAYERS,
): League<A, D> {
  const defenders = admit(league.defenders, defender, most)
  return { ...league, defenders, table: pruned(league, league.attackers, defenders, defender.name) }
}

/** Where there are too many, the first one stays (all descend from it) and the oldest of the others goes. */
function admit<P>(players: readonly Frozen<P>[], fresh: Frozen<P>, most: number): Frozen<P>[] {
  const all = [...players.filter(({ name }) => name !== fresh.name), fresh]
  return all.length <= most ? all : [...all.slice(0, 1), ...all.slice(1 - most)]
}

/** Games between players that are still there, but for those of `fresh`. */
function pruned<A, D>(
  { table }: League<A, D>,
  attackers: readonly Frozen<A>[],
  defenders: readonly Frozen<D>[],
  fresh: string,
): League<A, D>['table'] {
  const stays = new Set(attackers.map(({ name }) => name).filter(name => name !== fresh))
  const rows = defenders.flatMap(({ name }) => {
    const row = name === fresh ? {} : (table[name] ?? {})
    return [[name, Object.fromEntries(Object.entries(row).filter(([attacker]) => stays.has(attacker)))]]
  })
  return Object.fromEntries(rows)
}

/** The league with games added to a pair's. */
export function recordGames<A, D>(
  league: League<A, D>,
  defender: string,
  attacker: string,
  { games, won }: Meeting,
): League<A, D> {
  const before = league.table[defender]?.[attacker] ?? { games: 0, won: 0 }
  const after = { games: before.games + games, won: before.won + won }
  return {
    ...league,
    table: { ...league.table, [defender]: { ...league.table[defender], [attacker]: after } },
  }
}

/** Chance in (0, 1) that the attacker wins, by what was seen: one won and one lost game are taken as seen before (Laplace). */
export function attackRate<A, D>({ table }: League<A, D>, defender: string, attacker: string): number {
  const { games, won } = table[defender]?.[attacker] ?? { games: 0, won: 0 }
  return (won + 1) / (games + 2)
}
