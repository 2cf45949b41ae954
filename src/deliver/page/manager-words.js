// SPDX-License-Identifier: Apache-2.0
//
// manager-words.js - the words of the manager's page, its numbers, sums and times: as its reader writes them,
// and by the store's clock.

import {language, wording} from '/words.js';

const texts = {
	en: {
		title: 'Today', asOf: 'As of {0}', again: 'Refresh', print: 'Print',
		shown: 'Prompts shown', sent: 'Prompts sent', accepted: 'Accepted', acceptedOf: '{0} of those shown', acceptedOfSent: '{0} of those sent',
		given: 'Given away', givenBy: 'taken off at the tills', ofSent: 'of {0} sent', dayBudget: 'Budgets for today: {0} of {1} used or held',
		redeemed: 'Redeemed', redeemedBy: 'offers used at a till',
		answers: 'What became of the prompts', 'answer.accepted': 'Accepted', 'answer.dismissed': 'Dismissed', 'answer.snoozed': 'Later',
		'answer.overridden': 'Something else instead', 'answer.unanswered': 'No answer, ran out or withdrawn', 'answer.unseen': 'Not shown',
		'answer.open': 'Still open',
		hours: 'By hour', hourShown: 'shown', hourAccepted: 'of these accepted', hour: '{0}:00: {1} shown, {2} accepted',
		actions: 'By action', rowShown: '{0} shown', rowAccepted: '{0} accepted', 'budget.store-day': 'Budget for today: {0} of {1} used or held',
		'budget.campaign': 'Budget in all: {0} of {1} used or held', offers: '{0} offers', usedUp: 'used up', rowGiven: '{0} given away',
		more: 'and {0} more', others: 'and more than {0} more',
		running: 'Everything is running.', notRunning: 'Not running', stop: 'Stop', stopAll: 'Stop everything', lift: 'Allow again',
		everything: 'Everything', refused: 'That did not work ({0})', sure: '{0} “{1}”? Tap again.', signOut: 'Sign out',
		signIn: 'Sign in to order', moved: '{0} until {1}', levers: 'Weights until midnight', set: 'Set',
		stopped: 'Stopped in this store until somebody allows it again', stoppedUntil: 'Stopped in this store until {0}',
		stoppedHq: 'Stopped by headquarters since {0}: only they allow it again',
		stoppedBy: '{0} (by {1}, {2})', 'by.manager': 'a manager', 'by.operator': 'an operator of this gateway',
		noPolicy: 'No policy is installed, so nothing is suggested.',
		broker: 'The store’s message broker cannot be reached. Tills are not heard.',
		hq: 'Headquarters cannot be reached. The store goes on without it; records are sent later.',
		time: 'The gateway is not sure of the time. Offers that depend on a date are held back.',
		empty: 'Nothing has been shown yet today.', emptyMore: 'The figures begin with the first prompt of the day.',
		noLift: 'One store alone cannot tell whether prompts bring more sales; headquarters can.',
		withheld: '{0} prompts were held back on purpose, to measure it.',
		failed: 'The gateway does not answer. This page tries again by itself.',
		stale: 'These figures are from {0}. The gateway does not answer; this page tries again by itself.',
		waiting: 'Waits for a manager', since: 'since {0}', saves: 'saves {0}', approve: 'Approve', refuse: 'Refuse',
		gone: 'Too late, or answered already', waitingMore: 'and {0} more',
		before: 'Beside yesterday and last week', today: 'Today', 'days.1': 'Yesterday', byHour: 'by {0}', ofDay: '{0} all day',
		reasons: 'Why people said no', 'reasons.all': 'In all',
		silent: 'Silent', silentSince: 'last heard {0}', silentWhy: 'At this time of day there is a word from it on most days.',
		heard: 'Tills, readers and tablets: when each was last heard', 'who.pos': 'Till {0}', 'who.loyalty': 'Reader {0}', 'who.tablet': 'Tablet {0}',
		cards: 'The last cards', station: 'Till {0}',
		whyGone: 'What was decided here is not kept any more.',
		'on.customer.identified': 'A loyalty card was read.', 'on.basket.opened': 'A sale began.', 'on.basket.item-added': 'An article was scanned.',
		'on.basket.item-voided': 'An article was taken off again.', 'on.basket.tender-started': 'Payment began.',
		'on.basket.closed': 'The sale was over.', 'on.other': 'Something happened at the till ({0}).',
		'by.person': 'A person chose it.', 'by.only': 'It was the only card that fitted.', 'by.best': 'It was the best of {0} that fitted.',
		'by.drawn': 'It was drawn among {0} that fitted, with a chance of {1}.', saw: 'Policy {0}, version {1}, looked at {2} cards.',
		notOthers: 'Why not another one', came: 'What came of it', nothingYet: 'Nothing yet.', rule: 'Rule: {0}',
		'fate.offered': 'Shown', 'fate.withheld': 'Held back on purpose, to measure what cards bring', 'fate.stopped': 'Stopped in this store',
		'fate.validity': 'Not on this day, or at this hour', 'fate.consent': 'The customer has not agreed to it', 'fate.care': 'The customer has a complaint open',
		'fate.eligibility': 'Not meant for this customer', 'fate.applicability': 'Did not fit this basket', 'fate.suitability': 'Was not right for this customer now',
		'fate.missing': 'Something that its rule asks for was not known', 'fate.no-treatment': 'No words that fit this customer',
		'fate.contact': 'Shown, taken or refused often enough', 'fate.budget': 'Its budget is used up', 'fate.stacking': 'Not together with another offer',
		'fate.lane': 'Not in this state of the sale', 'fate.not-worth-it': 'Not worth the interruption', 'fate.outranked': 'Another card was better',
		'fate.not-drawn': 'Another card was drawn', 'fate.no-room': 'No room for one more card',
		'out.decided': 'Sent', 'out.shown': 'Shown', 'out.accepted': 'Accepted', 'out.dismissed': 'Dismissed', 'out.snoozed': 'Later',
		'out.overridden': 'Something else instead', 'out.late': 'Accepted too late', 'out.not-shown': 'Not shown', 'out.applied': 'Taken off at the till',
		'out.refused': 'The till said no', 'out.redeemed': 'Paid with', 'out.reversed': 'Taken back', 'out.bought': 'Bought', 'out.returned': 'Brought back',
		'out.case-closed': 'Complaint closed', 'out.goal': 'Goal reached', 'out.expired': 'Ran out', 'out.withdrawn': 'Withdrawn',
	},
	de: {
		title: 'Heute', asOf: 'Stand {0}', again: 'Neu laden', print: 'Drucken',
		shown: 'Gezeigte Hinweise', sent: 'Gesendete Hinweise', accepted: 'Angenommen', acceptedOf: '{0} der gezeigten', acceptedOfSent: '{0} der gesendeten',
		given: 'Nachlass gewährt', givenBy: 'an den Kassen abgezogen', ofSent: 'von {0} gesendeten', dayBudget: 'Tagesbudgets: {0} von {1} verbraucht oder vorgemerkt',
		redeemed: 'Eingelöst', redeemedBy: 'Angebote an der Kasse',
		answers: 'Was aus den Hinweisen wurde', 'answer.accepted': 'Angenommen', 'answer.dismissed': 'Abgelehnt', 'answer.snoozed': 'Später',
		'answer.overridden': 'Stattdessen etwas anderes', 'answer.unanswered': 'Ohne Antwort, abgelaufen oder zurückgezogen', 'answer.unseen': 'Nicht gezeigt',
		'answer.open': 'Noch offen',
		hours: 'Nach Stunde', hourShown: 'gezeigt', hourAccepted: 'davon angenommen', hour: '{0} Uhr: {1} gezeigt, {2} angenommen',
		actions: 'Nach Maßnahme', rowShown: '{0} gezeigt', rowAccepted: '{0} angenommen', 'budget.store-day': 'Tagesbudget: {0} von {1} verbraucht oder vorgemerkt',
		'budget.campaign': 'Gesamtbudget: {0} von {1} verbraucht oder vorgemerkt', offers: '{0} Angeboten', usedUp: 'aufgebraucht', rowGiven: '{0} Nachlass',
		more: 'und {0} weitere', others: 'und mehr als {0} weitere',
		running: 'Alles läuft.', notRunning: 'Läuft nicht', stop: 'Stoppen', stopAll: 'Alles stoppen', lift: 'Wieder freigeben',
		everything: 'Alles', refused: 'Das ging nicht ({0})', sure: '„{1}“: {0}? Noch einmal tippen.', signOut: 'Abmelden',
		signIn: 'Anmelden, um anzuordnen', moved: '{0} bis {1}', levers: 'Gewichte bis Mitternacht', set: 'Setzen',
		stopped: 'In diesem Markt gestoppt, bis es jemand wieder freigibt', stoppedUntil: 'In diesem Markt gestoppt bis {0}',
		stoppedHq: 'Von der Zentrale gestoppt seit {0}: nur sie gibt es wieder frei',
		stoppedBy: '{0} (von {1}, {2})', 'by.manager': 'der Marktleitung', 'by.operator': 'der Technik',
		noPolicy: 'Es ist kein Regelwerk installiert, darum wird nichts vorgeschlagen.',
		broker: 'Der Nachrichtendienst im Markt ist nicht erreichbar. Die Kassen werden nicht gehört.',
		hq: 'Die Zentrale ist nicht erreichbar. Der Markt arbeitet weiter; die Daten werden später gesendet.',
		time: 'Die Uhr im Markt ist unsicher. Angebote mit Datum werden zurückgehalten.',
		empty: 'Heute wurde noch nichts gezeigt.', emptyMore: 'Die Zahlen beginnen mit dem ersten Hinweis des Tages.',
		noLift: 'Ein Markt allein kann nicht sagen, ob Hinweise mehr Umsatz bringen; die Zentrale kann es.',
		withheld: '{0} Hinweise wurden absichtlich zurückgehalten, um das zu messen.',
		failed: 'Das Gateway antwortet nicht. Diese Seite versucht es von selbst wieder.',
		stale: 'Diese Zahlen sind von {0}. Das Gateway antwortet nicht; diese Seite versucht es von selbst wieder.',
		waiting: 'Wartet auf die Leitung', since: 'seit {0}', saves: 'spart {0}', approve: 'Freigeben', refuse: 'Ablehnen',
		gone: 'Zu spät oder schon beantwortet', waitingMore: 'und {0} weitere',
		before: 'Neben gestern und letzter Woche', today: 'Heute', 'days.1': 'Gestern', byHour: 'bis {0}', ofDay: '{0} am ganzen Tag',
		reasons: 'Warum abgelehnt wurde', 'reasons.all': 'Zusammen',
		silent: 'Still', silentSince: 'zuletzt gehört {0}', silentWhy: 'Um diese Zeit meldet es sich an den meisten Tagen.',
		heard: 'Kassen, Leser und Tablets: wann zuletzt gehört', 'who.pos': 'Kasse {0}', 'who.loyalty': 'Leser {0}', 'who.tablet': 'Tablet {0}',
		cards: 'Die letzten Karten', station: 'Kasse {0}',
		whyGone: 'Was hier entschieden wurde, ist nicht mehr aufbewahrt.',
		'on.customer.identified': 'Eine Kundenkarte wurde gelesen.', 'on.basket.opened': 'Ein Einkauf begann.', 'on.basket.item-added': 'Ein Artikel wurde gescannt.',
		'on.basket.item-voided': 'Ein Artikel wurde storniert.', 'on.basket.tender-started': 'Das Bezahlen begann.',
		'on.basket.closed': 'Der Einkauf war zu Ende.', 'on.other': 'An der Kasse geschah etwas ({0}).',
		'by.person': 'Ein Mensch hat sie gewählt.', 'by.only': 'Nur diese Karte passte.', 'by.best': 'Sie war die beste von {0}, die passten.',
		'by.drawn': 'Sie wurde unter {0} passenden gezogen, mit der Chance {1}.', saw: 'Regelwerk {0}, Version {1}, sah sich {2} Karten an.',
		notOthers: 'Warum keine andere', came: 'Was daraus wurde', nothingYet: 'Noch nichts.', rule: 'Regel: {0}',
		'fate.offered': 'Gezeigt', 'fate.withheld': 'Absichtlich zurückgehalten, um zu messen, was Karten bringen', 'fate.stopped': 'In diesem Markt gestoppt',
		'fate.validity': 'Nicht an diesem Tag oder zu dieser Stunde', 'fate.consent': 'Der Kunde hat dem nicht zugestimmt', 'fate.care': 'Der Kunde hat eine offene Beschwerde',
		'fate.eligibility': 'Nicht für diesen Kunden gedacht', 'fate.applicability': 'Passte nicht zu diesem Einkauf', 'fate.suitability': 'War für diesen Kunden jetzt nicht richtig',
		'fate.missing': 'Etwas, wonach die Regel fragt, war nicht bekannt', 'fate.no-treatment': 'Kein Text, der zu diesem Kunden passt',
		'fate.contact': 'Oft genug gezeigt, genommen oder abgelehnt', 'fate.budget': 'Das Budget ist verbraucht', 'fate.stacking': 'Nicht zusammen mit einem anderen Angebot',
		'fate.lane': 'Nicht in diesem Zustand des Einkaufs', 'fate.not-worth-it': 'Die Unterbrechung nicht wert', 'fate.outranked': 'Eine andere Karte war besser',
		'fate.not-drawn': 'Eine andere Karte wurde gezogen', 'fate.no-room': 'Kein Platz für noch eine Karte',
		'out.decided': 'Gesendet', 'out.shown': 'Gezeigt', 'out.accepted': 'Angenommen', 'out.dismissed': 'Abgelehnt', 'out.snoozed': 'Später',
		'out.overridden': 'Stattdessen etwas anderes', 'out.late': 'Zu spät angenommen', 'out.not-shown': 'Nicht gezeigt', 'out.applied': 'An der Kasse abgezogen',
		'out.refused': 'Die Kasse lehnte ab', 'out.redeemed': 'Damit bezahlt', 'out.reversed': 'Zurückgenommen', 'out.bought': 'Gekauft', 'out.returned': 'Zurückgebracht',
		'out.case-closed': 'Beschwerde erledigt', 'out.goal': 'Ziel erreicht', 'out.expired': 'Abgelaufen', 'out.withdrawn': 'Zurückgezogen',
	},
	es: {
		title: 'Hoy', asOf: 'A las {0}', again: 'Actualizar', print: 'Imprimir',
		shown: 'Avisos mostrados', sent: 'Avisos enviados', accepted: 'Aceptados', acceptedOf: '{0} de los mostrados', acceptedOfSent: '{0} de los enviados',
		given: 'Descuentos dados', givenBy: 'descontado en las cajas', ofSent: 'de {0} enviados', dayBudget: 'Presupuestos de hoy: {0} de {1} gastados o reservados',
		redeemed: 'Canjeados', redeemedBy: 'ofertas usadas en caja',
		answers: 'Qué fue de los avisos', 'answer.accepted': 'Aceptados', 'answer.dismissed': 'Descartados', 'answer.snoozed': 'Más tarde',
		'answer.overridden': 'Otra cosa en su lugar', 'answer.unanswered': 'Sin respuesta, caducados o retirados', 'answer.unseen': 'No mostrados',
		'answer.open': 'Aún abiertos',
		hours: 'Por hora', hourShown: 'mostrados', hourAccepted: 'de ellos aceptados', hour: '{0}:00: {1} mostrados, {2} aceptados',
		actions: 'Por acción', rowShown: '{0} mostrados', rowAccepted: '{0} aceptados', 'budget.store-day': 'Presupuesto de hoy: {0} de {1} gastados o reservados',
		'budget.campaign': 'Presupuesto total: {0} de {1} gastados o reservados', offers: '{0} ofertas', usedUp: 'agotado', rowGiven: '{0} descontados',
		more: 'y {0} más', others: 'y más de {0} más',
		running: 'Todo funciona.', notRunning: 'No funciona', stop: 'Detener', stopAll: 'Detener todo', lift: 'Permitir de nuevo',
		everything: 'Todo', refused: 'No ha funcionado ({0})', sure: '¿{0} «{1}»? Toque otra vez.', signOut: 'Salir',
		signIn: 'Entrar para dar órdenes', moved: '{0} hasta {1}', levers: 'Pesos hasta medianoche', set: 'Fijar',
		stopped: 'Detenido en esta tienda hasta que alguien lo permita', stoppedUntil: 'Detenido en esta tienda hasta {0}',
		stoppedHq: 'Detenido por la central desde {0}: solo ella lo permite de nuevo',
		stoppedBy: '{0} (por {1}, {2})', 'by.manager': 'un encargado', 'by.operator': 'el servicio técnico',
		noPolicy: 'No hay reglas instaladas, así que no se sugiere nada.',
		broker: 'No se llega al servicio de mensajes de la tienda. No se oye a las cajas.',
		hq: 'No se llega a la central. La tienda sigue sin ella; los datos se envían después.',
		time: 'La hora de la tienda no es segura. Las ofertas con fecha se retienen.',
		empty: 'Hoy todavía no se ha mostrado nada.', emptyMore: 'Las cifras empiezan con el primer aviso del día.',
		noLift: 'Una tienda sola no puede saber si los avisos traen más ventas; la central sí.',
		withheld: '{0} avisos se retuvieron a propósito, para medirlo.',
		failed: 'El sistema no responde. Esta página vuelve a intentarlo sola.',
		stale: 'Estas cifras son de las {0}. El sistema no responde; esta página vuelve a intentarlo sola.',
		waiting: 'Espera a un responsable', since: 'desde las {0}', saves: 'ahorra {0}', approve: 'Autorizar', refuse: 'Rechazar',
		gone: 'Demasiado tarde, o ya contestado', waitingMore: 'y {0} más',
		before: 'Junto a ayer y la semana pasada', today: 'Hoy', 'days.1': 'Ayer', byHour: 'hasta las {0}', ofDay: '{0} en todo el día',
		reasons: 'Por qué se dijo que no', 'reasons.all': 'En total',
		silent: 'En silencio', silentSince: 'última noticia {0}', silentWhy: 'A esta hora da señales la mayoría de los días.',
		heard: 'Cajas, lectores y tabletas: última noticia de cada uno', 'who.pos': 'Caja {0}', 'who.loyalty': 'Lector {0}', 'who.tablet': 'Tableta {0}',
		cards: 'Las últimas tarjetas', station: 'Caja {0}',
		whyGone: 'Lo que se decidió aquí ya no se guarda.',
		'on.customer.identified': 'Se leyó una tarjeta de cliente.', 'on.basket.opened': 'Empezó una compra.', 'on.basket.item-added': 'Se pasó un artículo.',
		'on.basket.item-voided': 'Se anuló un artículo.', 'on.basket.tender-started': 'Empezó el pago.',
		'on.basket.closed': 'La compra terminó.', 'on.other': 'Algo pasó en la caja ({0}).',
		'by.person': 'La eligió una persona.', 'by.only': 'Era la única que encajaba.', 'by.best': 'Era la mejor de {0} que encajaban.',
		'by.drawn': 'Salió entre {0} que encajaban, con una probabilidad de {1}.', saw: 'Las reglas {0}, versión {1}, miraron {2} tarjetas.',
		notOthers: 'Por qué no otra', came: 'Qué resultó', nothingYet: 'Nada todavía.', rule: 'Regla: {0}',
		'fate.offered': 'Mostrada', 'fate.withheld': 'Retenida a propósito, para medir qué aportan las tarjetas', 'fate.stopped': 'Detenida en esta tienda',
		'fate.validity': 'No en este día o a esta hora', 'fate.consent': 'El cliente no ha dado su consentimiento', 'fate.care': 'El cliente tiene una queja abierta',
		'fate.eligibility': 'No es para este cliente', 'fate.applicability': 'No encajaba con esta compra', 'fate.suitability': 'Ahora no era adecuada para este cliente',
		'fate.missing': 'Faltaba un dato que pide su regla', 'fate.no-treatment': 'Ningún texto que sirva a este cliente',
		'fate.contact': 'Ya se mostró, aceptó o rechazó bastante', 'fate.budget': 'Su presupuesto está agotado', 'fate.stacking': 'No junto a otra oferta',
		'fate.lane': 'No en este momento de la compra', 'fate.not-worth-it': 'No merecía la interrupción', 'fate.outranked': 'Otra tarjeta era mejor',
		'fate.not-drawn': 'Salió otra tarjeta', 'fate.no-room': 'No había sitio para otra tarjeta',
		'out.decided': 'Enviada', 'out.shown': 'Mostrada', 'out.accepted': 'Aceptada', 'out.dismissed': 'Descartada', 'out.snoozed': 'Más tarde',
		'out.overridden': 'Otra cosa en su lugar', 'out.late': 'Aceptada demasiado tarde', 'out.not-shown': 'No mostrada', 'out.applied': 'Descontada en caja',
		'out.refused': 'La caja dijo que no', 'out.redeemed': 'Usada al pagar', 'out.reversed': 'Devuelta', 'out.bought': 'Comprado', 'out.returned': 'Artículo devuelto',
		'out.case-closed': 'Queja cerrada', 'out.goal': 'Objetivo alcanzado', 'out.expired': 'Caducada', 'out.withdrawn': 'Retirada',
	},
	fr: {
		title: 'Aujourd’hui', asOf: 'À {0}', again: 'Actualiser', print: 'Imprimer',
		shown: 'Conseils montrés', sent: 'Conseils envoyés', accepted: 'Acceptés', acceptedOf: '{0} de ceux montrés', acceptedOfSent: '{0} de ceux envoyés',
		given: 'Remises accordées', givenBy: 'déduites aux caisses', ofSent: 'sur {0} envoyés', dayBudget: 'Budgets du jour : {0} sur {1} utilisés ou réservés',
		redeemed: 'Utilisées', redeemedBy: 'offres passées en caisse',
		answers: 'Ce que les conseils sont devenus', 'answer.accepted': 'Acceptés', 'answer.dismissed': 'Écartés', 'answer.snoozed': 'Plus tard',
		'answer.overridden': 'Autre chose à la place', 'answer.unanswered': 'Sans réponse, expirés ou retirés', 'answer.unseen': 'Non montrés',
		'answer.open': 'Encore ouverts',
		hours: 'Par heure', hourShown: 'montrés', hourAccepted: 'dont acceptés', hour: '{0} h : {1} montrés, {2} acceptés',
		actions: 'Par action', rowShown: '{0} montrés', rowAccepted: '{0} acceptés', 'budget.store-day': 'Budget du jour : {0} sur {1} utilisés ou réservés',
		'budget.campaign': 'Budget total : {0} sur {1} utilisés ou réservés', offers: '{0} offres', usedUp: 'épuisé', rowGiven: '{0} accordés',
		more: 'et {0} de plus', others: 'et plus de {0} de plus',
		running: 'Tout fonctionne.', notRunning: 'À l’arrêt', stop: 'Arrêter', stopAll: 'Tout arrêter', lift: 'Autoriser à nouveau',
		everything: 'Tout', refused: 'Cela n’a pas marché ({0})', sure: '{0} « {1} » ? Toucher encore.', signOut: 'Se déconnecter',
		signIn: 'Se connecter pour agir', moved: '{0} jusqu’à {1}', levers: 'Poids jusqu’à minuit', set: 'Fixer',
		stopped: 'Arrêté dans ce magasin jusqu’à nouvelle autorisation', stoppedUntil: 'Arrêté dans ce magasin jusqu’à {0}',
		stoppedHq: 'Arrêté par le siège depuis {0} : lui seul l’autorise à nouveau',
		stoppedBy: '{0} (par {1}, {2})', 'by.manager': 'un responsable', 'by.operator': 'le service technique',
		noPolicy: 'Aucune règle n’est installée, rien n’est donc proposé.',
		broker: 'Le service de messages du magasin est injoignable. On n’entend pas les caisses.',
		hq: 'La centrale est injoignable. Le magasin continue sans elle ; les données partiront plus tard.',
		time: 'L’heure du magasin n’est pas sûre. Les offres datées sont retenues.',
		empty: 'Rien n’a encore été montré aujourd’hui.', emptyMore: 'Les chiffres commencent avec le premier conseil du jour.',
		noLift: 'Un magasin seul ne peut dire si les conseils font vendre plus ; la centrale le peut.',
		withheld: '{0} conseils ont été retenus exprès, pour le mesurer.',
		failed: 'Le système ne répond pas. Cette page réessaie d’elle-même.',
		stale: 'Ces chiffres datent de {0}. Le système ne répond pas ; cette page réessaie d’elle-même.',
		waiting: 'Attend un responsable', since: 'depuis {0}', saves: 'économise {0}', approve: 'Autoriser', refuse: 'Refuser',
		gone: 'Trop tard, ou déjà répondu', waitingMore: 'et {0} de plus',
		before: 'À côté d’hier et de la semaine passée', today: 'Aujourd’hui', 'days.1': 'Hier', byHour: 'jusqu’à {0}', ofDay: '{0} sur la journée',
		reasons: 'Pourquoi on a dit non', 'reasons.all': 'En tout',
		silent: 'Silencieux', silentSince: 'entendu en dernier {0}', silentWhy: 'À cette heure, il se fait entendre la plupart des jours.',
		heard: 'Caisses, lecteurs et tablettes : quand chacun s’est fait entendre', 'who.pos': 'Caisse {0}', 'who.loyalty': 'Lecteur {0}', 'who.tablet': 'Tablette {0}',
		cards: 'Les dernières cartes', station: 'Caisse {0}',
		whyGone: 'Ce qui a été décidé ici n’est plus conservé.',
		'on.customer.identified': 'Une carte de fidélité a été lue.', 'on.basket.opened': 'Un achat a commencé.', 'on.basket.item-added': 'Un article a été scanné.',
		'on.basket.item-voided': 'Un article a été annulé.', 'on.basket.tender-started': 'Le paiement a commencé.',
		'on.basket.closed': 'L’achat était terminé.', 'on.other': 'Quelque chose s’est passé en caisse ({0}).',
		'by.person': 'Une personne l’a choisie.', 'by.only': 'C’était la seule qui convenait.', 'by.best': 'C’était la meilleure de {0} qui convenaient.',
		'by.drawn': 'Elle a été tirée parmi {0} qui convenaient, avec une chance de {1}.', saw: 'Les règles {0}, version {1}, ont regardé {2} cartes.',
		notOthers: 'Pourquoi pas une autre', came: 'Ce qui en est venu', nothingYet: 'Rien encore.', rule: 'Règle : {0}',
		'fate.offered': 'Montrée', 'fate.withheld': 'Retenue exprès, pour mesurer ce que les cartes apportent', 'fate.stopped': 'Arrêtée dans ce magasin',
		'fate.validity': 'Pas ce jour-là, ou pas à cette heure', 'fate.consent': 'Le client n’y a pas consenti', 'fate.care': 'Le client a une réclamation en cours',
		'fate.eligibility': 'Pas destinée à ce client', 'fate.applicability': 'N’allait pas avec cet achat', 'fate.suitability': 'Ne convenait pas à ce client à ce moment',
		'fate.missing': 'Une donnée que demande sa règle manquait', 'fate.no-treatment': 'Aucun texte qui convienne à ce client',
		'fate.contact': 'Assez montrée, prise ou refusée', 'fate.budget': 'Son budget est épuisé', 'fate.stacking': 'Pas avec une autre offre',
		'fate.lane': 'Pas à ce moment de l’achat', 'fate.not-worth-it': 'Ne valait pas l’interruption', 'fate.outranked': 'Une autre carte était meilleure',
		'fate.not-drawn': 'Une autre carte a été tirée', 'fate.no-room': 'Pas de place pour une carte de plus',
		'out.decided': 'Envoyée', 'out.shown': 'Montrée', 'out.accepted': 'Acceptée', 'out.dismissed': 'Écartée', 'out.snoozed': 'Plus tard',
		'out.overridden': 'Autre chose à la place', 'out.late': 'Acceptée trop tard', 'out.not-shown': 'Non montrée', 'out.applied': 'Déduite en caisse',
		'out.refused': 'La caisse a refusé', 'out.redeemed': 'Utilisée au paiement', 'out.reversed': 'Reprise', 'out.bought': 'Acheté', 'out.returned': 'Rapporté',
		'out.case-closed': 'Réclamation close', 'out.goal': 'But atteint', 'out.expired': 'Expirée', 'out.withdrawn': 'Retirée',
	},
	ar: {
		title: 'اليوم', asOf: 'حتى {0}', again: 'تحديث', print: 'طباعة',
		shown: 'البطاقات المعروضة', sent: 'البطاقات المرسلة', accepted: 'المقبولة', acceptedOf: '{0} من المعروضة', acceptedOfSent: '{0} من المرسلة',
		given: 'الخصومات', givenBy: 'خُصمت عند الصناديق', ofSent: 'من {0} مرسلة', dayBudget: 'ميزانيات اليوم: {0} من {1} مصروفة أو محجوزة',
		redeemed: 'المستعملة', redeemedBy: 'عروض استُعملت عند الصندوق',
		answers: 'ماذا حدث للبطاقات', 'answer.accepted': 'قُبلت', 'answer.dismissed': 'رُفضت', 'answer.snoozed': 'لاحقًا',
		'answer.overridden': 'شيء آخر بدلًا منها', 'answer.unanswered': 'بلا جواب أو انتهت أو سُحبت', 'answer.unseen': 'لم تُعرض',
		'answer.open': 'ما زالت مفتوحة',
		hours: 'حسب الساعة', hourShown: 'معروضة', hourAccepted: 'منها مقبولة', hour: 'الساعة {0}: {1} معروضة، {2} مقبولة',
		actions: 'حسب الإجراء', rowShown: '{0} معروضة', rowAccepted: '{0} مقبولة', 'budget.store-day': 'ميزانية اليوم: {0} من {1} مصروفة أو محجوزة',
		'budget.campaign': 'الميزانية الكلية: {0} من {1} مصروفة أو محجوزة', offers: '{0} عرضًا', usedUp: 'نفدت', rowGiven: 'خُصم {0}',
		more: 'و{0} أخرى', others: 'وأكثر من {0} أخرى',
		running: 'كل شيء يعمل.', notRunning: 'لا يعمل', stop: 'إيقاف', stopAll: 'إيقاف الكل', lift: 'السماح من جديد',
		everything: 'الكل', refused: 'لم ينجح ذلك ({0})', sure: '{0} «{1}»؟ اضغط مرة أخرى.', signOut: 'خروج',
		signIn: 'سجّل الدخول لإصدار الأوامر', moved: '{0} حتى {1}', levers: 'الأوزان حتى منتصف الليل', set: 'ضبط',
		stopped: 'موقوف في هذا المتجر حتى يُسمح به من جديد', stoppedUntil: 'موقوف في هذا المتجر حتى {0}',
		stoppedHq: 'أوقفته الإدارة المركزية منذ {0}، وهي وحدها تسمح به من جديد',
		stoppedBy: '{0} ({1}، {2})', 'by.manager': 'أحد المديرين', 'by.operator': 'الدعم الفني',
		noPolicy: 'لا توجد قواعد مثبتة، فلا يُقترح شيء.',
		broker: 'خدمة رسائل المتجر لا تستجيب. لا تُسمع الصناديق.',
		hq: 'الإدارة المركزية لا تستجيب. المتجر يعمل بدونها، وتُرسل البيانات لاحقًا.',
		time: 'ساعة المتجر غير مؤكدة. العروض المرتبطة بتاريخ موقوفة.',
		empty: 'لم يُعرض شيء اليوم بعد.', emptyMore: 'تبدأ الأرقام مع أول بطاقة في اليوم.',
		noLift: 'متجر واحد لا يستطيع أن يعرف هل تزيد البطاقات المبيعات؛ الإدارة المركزية تستطيع.',
		withheld: 'حُجبت {0} بطاقة عمدًا لقياس ذلك.',
		failed: 'النظام لا يستجيب. تعيد هذه الصفحة المحاولة وحدها.',
		stale: 'هذه الأرقام من {0}. النظام لا يستجيب؛ تعيد هذه الصفحة المحاولة وحدها.',
		waiting: 'ينتظر المدير', since: 'منذ {0}', saves: 'يوفر {0}', approve: 'موافقة', refuse: 'رفض',
		gone: 'فات الأوان أو أُجيب من قبل', waitingMore: 'و{0} أخرى',
		before: 'مقارنة بالأمس والأسبوع الماضي', today: 'اليوم', 'days.1': 'أمس', byHour: 'حتى {0}', ofDay: '{0} طوال اليوم',
		reasons: 'لماذا رُفضت', 'reasons.all': 'المجموع',
		silent: 'صامت', silentSince: 'آخر خبر {0}', silentWhy: 'في هذا الوقت يُسمع منه في أغلب الأيام.',
		heard: 'الصناديق والقارئات والأجهزة: متى سُمع من كل منها', 'who.pos': 'الصندوق {0}', 'who.loyalty': 'القارئ {0}', 'who.tablet': 'الجهاز {0}',
		cards: 'آخر البطاقات', station: 'الصندوق {0}',
		whyGone: 'ما تقرر هنا لم يعد محفوظًا.',
		'on.customer.identified': 'قُرئت بطاقة زبون.', 'on.basket.opened': 'بدأت عملية شراء.', 'on.basket.item-added': 'مُسحت سلعة.',
		'on.basket.item-voided': 'أُلغيت سلعة.', 'on.basket.tender-started': 'بدأ الدفع.',
		'on.basket.closed': 'انتهت عملية الشراء.', 'on.other': 'حدث شيء عند الصندوق ({0}).',
		'by.person': 'اختارها شخص.', 'by.only': 'كانت الوحيدة المناسبة.', 'by.best': 'كانت الأفضل من {0} مناسبة.',
		'by.drawn': 'سُحبت من بين {0} مناسبة باحتمال {1}.', saw: 'القواعد {0}، الإصدار {1}، نظرت في {2} بطاقة.',
		notOthers: 'لماذا ليست غيرها', came: 'ماذا نتج عنها', nothingYet: 'لا شيء بعد.', rule: 'القاعدة: {0}',
		'fate.offered': 'عُرضت', 'fate.withheld': 'حُجبت عمدًا لقياس ما تجلبه البطاقات', 'fate.stopped': 'موقوفة في هذا المتجر',
		'fate.validity': 'ليس في هذا اليوم أو هذه الساعة', 'fate.consent': 'لم يوافق الزبون على ذلك', 'fate.care': 'للزبون شكوى مفتوحة',
		'fate.eligibility': 'ليست لهذا الزبون', 'fate.applicability': 'لم تناسب هذه المشتريات', 'fate.suitability': 'لم تكن مناسبة لهذا الزبون الآن',
		'fate.missing': 'لم يُعرف شيء تسأل عنه قاعدتها', 'fate.no-treatment': 'لا نص يناسب هذا الزبون',
		'fate.contact': 'عُرضت أو قُبلت أو رُفضت بما يكفي', 'fate.budget': 'نفدت ميزانيتها', 'fate.stacking': 'ليس مع عرض آخر',
		'fate.lane': 'ليس في هذه المرحلة من الشراء', 'fate.not-worth-it': 'لا تستحق المقاطعة', 'fate.outranked': 'كانت بطاقة أخرى أفضل',
		'fate.not-drawn': 'سُحبت بطاقة أخرى', 'fate.no-room': 'لا مكان لبطاقة أخرى',
		'out.decided': 'أُرسلت', 'out.shown': 'عُرضت', 'out.accepted': 'قُبلت', 'out.dismissed': 'رُفضت', 'out.snoozed': 'لاحقًا',
		'out.overridden': 'شيء آخر بدلًا منها', 'out.late': 'قُبلت متأخرة', 'out.not-shown': 'لم تُعرض', 'out.applied': 'خُصمت عند الصندوق',
		'out.refused': 'رفض الصندوق', 'out.redeemed': 'استُعملت في الدفع', 'out.reversed': 'استُرجعت', 'out.bought': 'اشتُريت', 'out.returned': 'أُعيدت السلعة',
		'out.case-closed': 'أُغلقت الشكوى', 'out.goal': 'تحقق الهدف', 'out.expired': 'انتهت', 'out.withdrawn': 'سُحبت',
	},
};

export const say = wording(texts);
export const knows = (name) => name in texts.en;
export const locale = (navigator.languages || []).find((l) => l.slice(0, 2).toLowerCase() === language) || language;

export const count = (n) => (n || 0).toLocaleString(locale);
export const share = (part, all) => (part / all).toLocaleString(locale, {style: 'percent', maximumFractionDigits: 0});

// Large sums without cents: they are read from afar.
export function money(minor, currency, round) {
	try {
		const digits = new Intl.NumberFormat(locale, {style: 'currency', currency}).resolvedOptions().maximumFractionDigits;
		const amount = minor / 10 ** digits;
		const shown = round && Math.abs(amount) >= 1000 ? 0 : digits;
		return new Intl.NumberFormat(locale, {style: 'currency', currency, minimumFractionDigits: shown,
			maximumFractionDigits: shown}).format(amount);
	} catch {
		return count(minor) + ' ' + currency;
	}
}

// In the store's time, wherever the reader is. A zone that the browser does not know: in the reader's own.
export function time(at, zone, form) {
	try {
		return new Intl.DateTimeFormat(locale, {timeZone: zone, ...form}).format(new Date(at));
	} catch {
		return new Intl.DateTimeFormat(locale, form).format(new Date(at));
	}
}

export const clock = (at, zone) => time(at, zone, {hour: '2-digit', minute: '2-digit', hourCycle: 'h23'});

// Since its midnight, by the store's clock; digits of English, whatever the reader's are.
export function minutes(at, zone) {
	const form = {hour: '2-digit', minute: '2-digit', hourCycle: 'h23'};
	let text;
	try {
		text = new Intl.DateTimeFormat('en', {timeZone: zone, ...form}).format(new Date(at));
	} catch {
		text = new Intl.DateTimeFormat('en', form).format(new Date(at));
	}
	return text.match(/\d+/g).map(Number).reduce((hours, rest) => hours * 60 + rest);
}

// With its day, where that is not the report's.
export function moment(at, report) {
	const day = {day: 'numeric', month: 'numeric'};
	const same = time(at, report.zone, day) === time(report.at, report.zone, day);
	return (same ? '' : time(at, report.zone, {weekday: 'short', ...day}) + ' ') + clock(at, report.zone);
}

// An action by its headline, else by its id made readable.
export function named(row) {
	const words = row.headline || {};
	const tag = [...(navigator.languages || []), language].find((l) => words[l] || words[l.slice(0, 2)]);
	const text = (tag && (words[tag] || words[tag.slice(0, 2)])) || Object.values(words)[0];
	if (text)
		return text.replace(/(\d|…) (?=[%€$£])/g, '$1\u00a0');
	const plain = row.action.replace(/[_-]+/g, ' ');
	return plain.charAt(0).toUpperCase() + plain.slice(1);
}
