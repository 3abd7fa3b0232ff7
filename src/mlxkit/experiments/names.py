"""Names for experiments that a person can say: an adjective and an animal, always the same ones."""

from collections.abc import Callable, Iterator

_ADJECTIVES = """
agile amber ample ashen azure basic bold brave bright brisk calm civil clear clever coral cosy
crisp daring deep deft eager early easy even fair fancy fast fine firm fleet fond frank fresh
gentle giant glad golden good grand great green happy hardy hazel honest humble ideal ivory
jolly keen kind large late lemon light lime little lively lofty loyal lucid lucky lunar mellow
merry mild mint misty modest neat new nimble noble olive opal orange pale patient pearl plain
plum polite prime proud pure quick quiet rapid rare ready red regal rich ripe rosy round royal
ruby rustic sandy sharp silent silver simple sleek slow smart smooth snowy solar solid sound
spry stable steady stout sunny super sure sweet swift tall teal tender thrifty tidy tiny true
upbeat urban vast velvet violet vivid warm white whole wild wise witty young zesty
"""
_ANIMALS = """
adder alpaca ant ape auk badger bat bear beaver bee beetle bison boar bobcat buck bull bunny
camel caribou carp cat civet cobra cod colt condor coot cougar cow coyote crab crane cricket
crow cub deer dingo dodo dog dove duck eagle eel egret eland elk emu ermine ewe falcon fawn
ferret finch fish fox frog gannet gecko gibbon gnu goat goose gopher grouse gull hare hawk hen
heron hippo horse hound husky ibex ibis iguana impala jackal jaguar jay kestrel kite kiwi koala
koi krill lamb lark lemming lemur leopard lion lizard llama lobster loon lynx macaw magpie
mallard mantis marlin marmot marten mink mole moose moth mouse mule newt ocelot octopus okapi
orca oriole osprey otter owl ox oyster panda panther parrot pelican perch pigeon pike plover
pony puffin puma quail rabbit ram rat raven robin rook salmon seal shark sheep shrew shrimp
skink skunk sloth slug snail snake sole sparrow spider squid stag stoat stork swan swift tapir
tern tiger toad toucan trout tuna turkey turtle urchin viper vole wasp weasel whale wolf wombat
wren yak zebra
"""
_TRIES = 4


def choose_name(digest: str, free: Callable[[str], bool]) -> str:
    """Return the first name for a hexadecimal digest that is `free`; the same for the same one."""
    return next(name for name in _candidates(digest) if free(name))


def _candidates(digest: str) -> Iterator[str]:
    adjectives, animals = _ADJECTIVES.split(), _ANIMALS.split()
    number = int(digest, 16)
    first = ""
    for _ in range(_TRIES):
        number, adjective = divmod(number, len(adjectives))
        number, animal = divmod(number, len(animals))
        name = f"{adjectives[adjective]}-{animals[animal]}"
        first = first or name
        yield name
    count = 2
    while True:
        yield f"{first}-{count}"
        count += 1
