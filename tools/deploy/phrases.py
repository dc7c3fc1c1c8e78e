"""How people ask for a deployment, a rollback, a restart, other replicas, or what runs where."""

from tools.contract import examples

DEPLOY = examples(
    en="""
    deploy {service} {version} to {environment}
    please ship {service} {version}
    can you push version {version} of {service} to {environment}?
    roll out {service} {version} in {environment}
    release {version} of {service}
    put {service} {version} on {environment}
    upgrade {service} to {version}
    let's get {version} of {service} live
    {environment} should run {service} {version}
    promote {service} {version} to {environment} when you get a chance
    {service} needs to be on {version} in {environment}
    go live with {service} {version}
    could we install {service} {version} on {environment} today
    """,
    fr="""
    déploie {service} {version} en {environment}
    peux-tu mettre {service} {version} en {environment} ?
    passe {service} en version {version}
    mets la version {version} de {service} sur {environment}
    livre {service} {version}
    il faudrait installer {service} {version} en {environment}
    on peut pousser la {version} de {service} en {environment} ?
    lance la mise en production de {service} {version}
    """,
)

ROLLBACK = examples(
    en="""
    roll back {service} in {environment}
    roll {service} back to {version}
    revert {service} to the previous version
    undo the last {service} deployment
    take {service} back to {version} in {environment}
    the new {service} release is broken, go back to the old one
    {version} of {service} is bad, please revert it in {environment}
    can we go back to {service} {version}?
    downgrade {service} to {version}
    back out the {service} release on {environment}
    restore the version of {service} that ran before
    get {service} back on {version}
    """,
    fr="""
    reviens à la version précédente de {service}
    annule le dernier déploiement de {service} en {environment}
    rollback de {service} vers {version}
    remets {service} en {version} sur {environment}
    fais un retour arrière sur {service}
    la nouvelle version de {service} est cassée, reviens à l'ancienne
    repasse {service} à la version {version}
    peut-on revenir à {service} {version} en {environment} ?
    """,
)

RESTART = examples(
    en="""
    restart {service}
    restart {service} in {environment}
    please bounce {service} on {environment}
    reboot the {service} service
    {service} is stuck, give it a restart
    can you kick {service} in {environment}?
    turn {service} off and on again
    cycle the {service} processes on {environment}
    could somebody restart {service} please
    do a rolling restart of {service}
    stop and start {service} in {environment}
    """,
    fr="""
    redémarre {service}
    redémarre {service} en {environment}
    relance le service {service}
    peux-tu rebooter {service} sur {environment} ?
    {service} est bloqué, il faut le relancer
    fais redémarrer {service} s'il te plaît
    arrête et relance {service} en {environment}
    """,
)

SCALE = examples(
    en="""
    scale {service} to {replicas} replicas
    scale {service} to {replicas} in {environment}
    I need {replicas} instances of {service} on {environment}
    bring {service} up to {replicas}
    bring {service} down to {replicas} replicas in {environment}
    set the replicas of {service} to {replicas}
    run {replicas} copies of {service}
    {service} should have {replicas} pods in {environment}
    can we get {service} to {replicas} instances?
    give {service} {replicas} replicas
    reduce {service} to {replicas} processes on {environment}
    """,
    fr="""
    passe {service} à {replicas} réplicas
    mets {replicas} instances de {service} en {environment}
    il me faut {replicas} {service} en {environment}
    augmente {service} à {replicas} instances
    réduis {service} à {replicas} réplicas sur {environment}
    monte {service} à {replicas}
    peux-tu faire tourner {replicas} copies de {service} ?
    """,
)

STATUS = examples(
    en="""
    what is running in {environment}?
    which version of {service} is live?
    status of {service}
    what version is {service} on in {environment}
    is {service} up?
    how is {service} doing
    what changed in the last 24 hours?
    what was deployed to {environment} today?
    who deployed {service} last
    since when has {service} been running
    how many replicas does {service} have?
    show me the recent deployments of {service}
    is everything healthy in {environment}
    did anybody touch {service} this morning?
    deployment history of {service}
    """,
    fr="""
    qu'est-ce qui tourne en {environment} ?
    quelle version de {service} est en {environment} ?
    état de {service}
    comment va {service} ?
    est-ce que {service} est en ligne ?
    qu'est-ce qui a changé depuis hier ?
    quels sont les derniers déploiements de {service} ?
    qui a déployé {service} en dernier
    combien d'instances de {service} tournent ?
    depuis quand {service} tourne en {environment}
    """,
)
